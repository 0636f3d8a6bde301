target_sources(test_progress PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/apply/memory_sink.cpp)
