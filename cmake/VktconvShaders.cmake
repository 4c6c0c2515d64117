# Compiles GLSL to SPIR-V and embeds it. The table of all variants is shaders/CMakeLists.txt.
#
#   vktconv_add_shader(<file.comp> VARIANT <variant>
#                      [DEFINES <A> <B=1> ...]      macros, for types and extensions only
#                      [NEEDS <capability> ...]     what glslang must know; see cmake/probes/<capability>.comp
#                      [TARGET_ENV <env> ...])      default vulkan1.2; e.g. vulkan1.3, or vulkan1.2 spirv1.6
#
# adds the shader "<file stem>.<variant>", e.g. gather.f32.descriptors. A variant whose NEEDS this glslang lacks is
# left out and named in one line at the end of the configuration; find_shader() returns null for it.
#
#   vktconv_finish_shaders([TARGET <name>] [NAMESPACE <namespace>])
#
# ends the table: it makes the object library vktconv-shaders, which implements src/shader_table.h. With a target and a
# namespace of its own, another room keeps a table apart from that of the library (bench/CMakeLists.txt).

set(VKTCONV_SHADER_PROBES ${CMAKE_CURRENT_LIST_DIR}/probes)
set(VKTCONV_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/VktconvEmbedSpirv.cmake)

# Sets <result> to whether glslang compiles cmake/probes/<capability>.comp. The answer is kept in the cache.
function(vktconv_probe_glslang capability result)
  set(probe ${VKTCONV_SHADER_PROBES}/${capability}.comp)
  if(NOT EXISTS ${probe})
    message(FATAL_ERROR "NEEDS ${capability}: there is no ${probe} that tells whether glslang has it")
  endif()
  file(TIMESTAMP ${VKTCONV_GLSLANG} glslang_time)
  file(SHA256 ${probe} probe_hash)
  set(key "${VKTCONV_GLSLANG} ${glslang_time} ${probe_hash}")
  set(cached VKTCONV_GLSLANG_HAS_${capability})
  if(NOT "${${cached}_KEY}" STREQUAL key)
    execute_process(COMMAND ${VKTCONV_GLSLANG} -V --target-env vulkan1.3 -o ${CMAKE_CURRENT_BINARY_DIR}/probe.spv ${probe}
                    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    if(failed STREQUAL "0")
      set(${cached} TRUE CACHE INTERNAL "")
    else()
      set(${cached} FALSE CACHE INTERNAL "")
    endif()
    set(${cached}_KEY "${key}" CACHE INTERNAL "")
  endif()
  set(${result} ${${cached}} PARENT_SCOPE)
endfunction()

function(vktconv_add_shader file)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "VARIANT" "DEFINES;NEEDS;TARGET_ENV")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_VARIANT)
    message(FATAL_ERROR "vktconv_add_shader(${file}): needs VARIANT, and does not know: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  cmake_path(GET file STEM LAST_ONLY stem)
  set(name ${stem}.${arg_VARIANT})

  get_property(names GLOBAL PROPERTY VKTCONV_SHADER_NAMES)
  get_property(left_out GLOBAL PROPERTY VKTCONV_SHADERS_LEFT_OUT)
  if(name IN_LIST names OR name IN_LIST left_out)
    message(FATAL_ERROR "vktconv_add_shader(${file}): the shader ${name} is in the table twice")
  endif()

  foreach(capability IN LISTS arg_NEEDS)
    vktconv_probe_glslang(${capability} has)
    if(NOT has)
      set_property(GLOBAL APPEND PROPERTY VKTCONV_SHADERS_LEFT_OUT ${name})
      set_property(GLOBAL APPEND PROPERTY VKTCONV_GLSLANG_LACKS ${capability})
      return()
    endif()
  endforeach()

  if(NOT arg_TARGET_ENV)
    set(arg_TARGET_ENV vulkan1.2)
  endif()
  list(TRANSFORM arg_TARGET_ENV PREPEND "--target-env;" OUTPUT_VARIABLE target_env)
  list(TRANSFORM arg_DEFINES PREPEND "-D")
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set(spirv ${CMAKE_CURRENT_BINARY_DIR}/${name}.spv)
  set(validate "")
  if(VKTCONV_SPIRV_VAL)
    list(GET arg_TARGET_ENV 0 validate_env)
    # glslang is told of relaxed and scalar layouts by the shader; spirv-val must be told.
    set(validate COMMAND ${VKTCONV_SPIRV_VAL} --target-env ${validate_env} --scalar-block-layout ${spirv})
  endif()
  add_custom_command(
    OUTPUT ${spirv}
    COMMAND ${VKTCONV_GLSLANG} -V --quiet ${target_env} -g0 -I${CMAKE_CURRENT_SOURCE_DIR}
            -I${CMAKE_CURRENT_SOURCE_DIR}/shared ${arg_DEFINES} --depfile ${spirv}.d -o ${spirv} ${source}
    ${validate}
    DEPENDS ${source}
    DEPFILE ${spirv}.d
    COMMENT "Compiling shader ${name}"
    VERBATIM)
  string(MAKE_C_IDENTIFIER ${name} identifier)
  add_custom_command(
    OUTPUT ${spirv}.inc
    COMMAND ${CMAKE_COMMAND} -D SPIRV=${spirv} -D ARRAY=${identifier} -D OUTPUT=${spirv}.inc -P ${VKTCONV_EMBED_SCRIPT}
    DEPENDS ${spirv} ${VKTCONV_EMBED_SCRIPT}
    COMMENT "Embedding shader ${name}"
    VERBATIM)
  set_property(GLOBAL APPEND PROPERTY VKTCONV_SHADER_NAMES ${name})
endfunction()

function(vktconv_finish_shaders)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET;NAMESPACE" "")
  set(target vktconv-shaders)
  set(namespace vktconv)
  if(arg_TARGET)
    set(target ${arg_TARGET})
  endif()
  if(arg_NAMESPACE)
    set(namespace ${arg_NAMESPACE})
  endif()
  get_property(names GLOBAL PROPERTY VKTCONV_SHADER_NAMES)
  get_property(left_out GLOBAL PROPERTY VKTCONV_SHADERS_LEFT_OUT)
  get_property(lacks GLOBAL PROPERTY VKTCONV_GLSLANG_LACKS)

  list(SORT names)
  set(includes "")
  set(rows "")
  set(depends "")
  foreach(name IN LISTS names)
    string(MAKE_C_IDENTIFIER ${name} identifier)
    string(APPEND includes "#include \"${name}.spv.inc\"\n")
    string(APPEND rows "    ShaderCode{\"${name}\", ${identifier}, std::size(${identifier})},\n")
    list(APPEND depends ${CMAKE_CURRENT_BINARY_DIR}/${name}.spv.inc)
  endforeach()
  list(LENGTH names count)
  list(JOIN left_out ", " left_out_names)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/shader_table.cpp.in shader_table.cpp @ONLY)
  add_library(${target} OBJECT shader_table.cpp)
  set_source_files_properties(shader_table.cpp PROPERTIES OBJECT_DEPENDS "${depends}")
  vktconv_target_defaults(${target})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})

  if(left_out)
    list(REMOVE_DUPLICATES lacks)
    list(JOIN lacks ", " lacks)
    message(STATUS "${target}: ${count} shaders; left out, because ${VKTCONV_GLSLANG} does not know ${lacks}: ${left_out_names}")
  else()
    message(STATUS "${target}: ${count} shaders, none left out")
  endif()
  # The next table begins empty.
  foreach(property VKTCONV_SHADER_NAMES VKTCONV_SHADERS_LEFT_OUT VKTCONV_GLSLANG_LACKS)
    set_property(GLOBAL PROPERTY ${property})
  endforeach()
endfunction()
