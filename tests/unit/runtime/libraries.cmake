find_package(spdlog REQUIRED)
target_sources(test_runtime PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/apply/memory_sink.cpp)
target_link_libraries(test_runtime PRIVATE spdlog::spdlog)
