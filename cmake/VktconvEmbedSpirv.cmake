# cmake -D SPIRV=in.spv -D ARRAY=name -D OUTPUT=out.inc -P: writes the words of a SPIR-V module as a C++ array.
file(READ ${SPIRV} bytes HEX)
if(NOT bytes MATCHES "^03022307")
  message(FATAL_ERROR "${SPIRV}: not a little-endian SPIR-V module")
endif()
string(REGEX REPLACE "(..)(..)(..)(..)" "0x\\4\\3\\2\\1,\n" words "${bytes}")
file(WRITE ${OUTPUT} "static constexpr uint32_t ${ARRAY}[] = {\n${words}};\n")
