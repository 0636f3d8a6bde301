target_sources(test_dead_letters PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/apply/memory_sink.cpp)
