# Settings that all of our own targets share. None of them reaches a user of the libraries.

if(VKTCONV_SANITIZERS)
  # For everything below the top folder, and the same when linking: a part without them would hide its faults.
  add_compile_options(-fsanitize=${VKTCONV_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${VKTCONV_SANITIZERS})
endif()

function(vktconv_target_defaults target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    if(VKTCONV_WARNINGS_AS_ERRORS)
      target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
      if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # GCC's guesses about the code that its optimizer made of the standard library: another version, other guesses.
        target_compile_options(${target} PRIVATE -Wno-error=array-bounds -Wno-error=stringop-overflow
                               -Wno-error=stringop-overread -Wno-error=maybe-uninitialized -Wno-error=restrict
                               -Wno-error=free-nonheap-object -Wno-error=dangling-pointer)
      endif()
    endif()
  elseif(MSVC AND VKTCONV_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE /W4 /WX)
  endif()
endfunction()
