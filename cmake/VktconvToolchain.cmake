# Finds the Vulkan headers, glslang and spirv-val: in the side prefix VKTCONV_VULKAN_SDK first (made by
# tools/make-vulkan-sdk), then on the system. Defines the target Vulkan::Headers unless the parent project has it,
# VKTCONV_GLSLANG, VKTCONV_SPIRV_VAL, and VKTCONV_TEST_LAUNCHER (what ctest puts before a program that uses Vulkan).

set(default_sdk "")
if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/.sdk)
  set(default_sdk ${PROJECT_SOURCE_DIR}/.sdk)
endif()
set(VKTCONV_VULKAN_SDK "${default_sdk}" CACHE PATH "Prefix with bin/glslang, bin/spirv-val, include/vulkan; empty: the system's")

# What was found in another prefix is looked for again.
if(NOT "${VKTCONV_VULKAN_SDK}" STREQUAL "${VKTCONV_VULKAN_SDK_IN_USE}")
  unset(VKTCONV_GLSLANG CACHE)
  unset(VKTCONV_SPIRV_VAL CACHE)
  unset(VKTCONV_VULKAN_INCLUDE_DIR CACHE)
  set(VKTCONV_VULKAN_SDK_IN_USE "${VKTCONV_VULKAN_SDK}" CACHE INTERNAL "")
endif()

set(sdk_bin "")
set(sdk_include "")
if(VKTCONV_VULKAN_SDK)
  set(sdk_bin PATHS ${VKTCONV_VULKAN_SDK}/bin NO_DEFAULT_PATH)
  set(sdk_include PATHS ${VKTCONV_VULKAN_SDK}/include NO_DEFAULT_PATH)
  find_program(VKTCONV_GLSLANG NAMES glslang glslangValidator ${sdk_bin})
  find_program(VKTCONV_SPIRV_VAL NAMES spirv-val ${sdk_bin})
  find_path(VKTCONV_VULKAN_INCLUDE_DIR NAMES vulkan/vulkan_core.h ${sdk_include})
endif()
find_program(VKTCONV_GLSLANG NAMES glslang glslangValidator DOC "GLSL to SPIR-V compiler" REQUIRED)
find_program(VKTCONV_SPIRV_VAL NAMES spirv-val DOC "SPIR-V validator; shaders go unchecked without it")

if(NOT TARGET Vulkan::Headers)
  find_path(VKTCONV_VULKAN_INCLUDE_DIR NAMES vulkan/vulkan_core.h DOC "Folder of vulkan/vulkan_core.h"
            HINTS ENV VULKAN_SDK PATH_SUFFIXES include REQUIRED)
  add_library(Vulkan::Headers INTERFACE IMPORTED GLOBAL)
  target_include_directories(Vulkan::Headers INTERFACE ${VKTCONV_VULKAN_INCLUDE_DIR})
endif()

set(default_launcher "")
if(VKTCONV_VULKAN_SDK AND EXISTS ${VKTCONV_VULKAN_SDK}/bin/with-lavapipe)
  set(default_launcher ${VKTCONV_VULKAN_SDK}/bin/with-lavapipe)
endif()
set(VKTCONV_TEST_LAUNCHER "${default_launcher}" CACHE STRING
    "Command that ctest puts before test programs that use Vulkan, e.g. with-lavapipe; empty: none")
