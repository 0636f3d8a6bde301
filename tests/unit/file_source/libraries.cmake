find_package(ZLIB REQUIRED)
target_link_libraries(test_file_source PRIVATE ZLIB::ZLIB)
add_dependencies(test_file_source cdcrt_source_file)
# Where a partition's messages stand, for files that are larger than a test may write.
target_sources(test_file_source PRIVATE ${PROJECT_SOURCE_DIR}/plugins/sources/file/src/partitions.cpp)
target_include_directories(test_file_source PRIVATE ${PROJECT_SOURCE_DIR}/plugins/sources/file/src)
