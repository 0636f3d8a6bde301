target_link_libraries(test_message_lines PRIVATE cdcrt_kcat)
target_compile_definitions(test_message_lines PRIVATE CDCRT_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
