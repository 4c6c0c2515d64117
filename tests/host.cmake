# Tests of src/host that need no device.
target_sources(vktconv-tests PRIVATE test_pipeline_cache_file.cpp test_slabs.cpp)
foreach(suite IN ITEMS pipeline_cache_file slabs)
  add_test(NAME pure.${suite} COMMAND vktconv-tests --test-suite=${suite})
endforeach()
