target_link_libraries(test_sdk PRIVATE cdcrt::json)
