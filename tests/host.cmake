# Tests of src/host. Included by CMakeLists.txt.
target_sources(vktconv-tests PRIVATE
  test_device_choice.cpp
  test_host_arrays.cpp
  test_host_device.cpp
  test_pipeline_cache_file.cpp
  test_slabs.cpp
  test_tune.cpp
  test_tuning_table.cpp)
# Some look below the public header, where volk is included.
target_include_directories(vktconv-tests SYSTEM PRIVATE $<TARGET_PROPERTY:vktconv-host,INCLUDE_DIRECTORIES>)
foreach(suite IN ITEMS device_choice pipeline_cache_file slabs tuning_table)
  add_test(NAME pure.${suite} COMMAND vktconv-tests --test-suite=${suite})
endforeach()
set_source_files_properties(test_tuning_table.cpp PROPERTIES COMPILE_DEFINITIONS
  "VKTCONV_SHIPPED_TUNING=\"${PROJECT_SOURCE_DIR}/src/host/shipped_tuning.json\"")
