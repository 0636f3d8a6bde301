find_package(ZLIB REQUIRED)
target_link_libraries(test_file_source PRIVATE ZLIB::ZLIB)
add_dependencies(test_file_source cdcrt_source_file)
