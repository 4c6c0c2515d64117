# The tests of tools/: what the support library reads and writes, the command vktconv, and the fuzzers. Included by
# CMakeLists.txt.
target_sources(vktconv-tests PRIVATE test_half.cpp test_npy.cpp test_problem_text.cpp)
# Eigen, where it is installed, judges the 16-bit floats.
find_package(Eigen3 QUIET NO_MODULE)
target_link_libraries(vktconv-tests PRIVATE $<TARGET_NAME_IF_EXISTS:Eigen3::Eigen>)
foreach(suite IN ITEMS half npy problem_text)
  add_test(NAME pure.${suite} COMMAND vktconv-tests --test-suite=${suite})
endforeach()

if(TARGET vktconv-cli)
  # The launcher comes before the command, not before the test, which uses no device itself.
  list(JOIN VKTCONV_TEST_LAUNCHER " " cli_launcher)
  target_sources(vktconv-tests PRIVATE command_line.cpp test_cli.cpp test_cli_run.cpp test_cli_tune.cpp)
  set_source_files_properties(command_line.cpp PROPERTIES COMPILE_DEFINITIONS
    "VKTCONV_CLI=\"$<TARGET_FILE:vktconv-cli>\";VKTCONV_CLI_LAUNCHER=\"${cli_launcher}\"")
  add_dependencies(vktconv-tests vktconv-cli)
  target_link_libraries(vktconv-tests PRIVATE nlohmann_json::nlohmann_json)
  add_test(NAME gpu.cli COMMAND vktconv-tests --test-suite=cli)
  set_tests_properties(gpu.cli PROPERTIES TIMEOUT 900 LABELS gpu)
endif()

option(VKTCONV_FUZZERS "Build libFuzzer programs from tests/fuzz_*.cpp (needs clang)" OFF)
if(VKTCONV_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "VKTCONV_FUZZERS needs clang, for its -fsanitize=fuzzer")
  endif()
  # The readers are compiled again, so that the fuzzer sees their branches.
  file(GLOB support_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/support/*.cpp)
  foreach(reader IN ITEMS npy problem_text)
    add_executable(fuzz_${reader} fuzz_${reader}.cpp ${support_sources})
    vktconv_target_defaults(fuzz_${reader})
    target_include_directories(fuzz_${reader} PRIVATE ${PROJECT_SOURCE_DIR}/tools)
    target_compile_options(fuzz_${reader} PRIVATE -fsanitize=fuzzer,address,undefined)
    target_link_options(fuzz_${reader} PRIVATE -fsanitize=fuzzer,address,undefined)
    target_link_libraries(fuzz_${reader} PRIVATE vktconv fmt::fmt nlohmann_json::nlohmann_json)
  endforeach()
endif()
