find_package(ZLIB REQUIRED)
find_package(RapidJSON REQUIRED)
target_link_libraries(test_debezium_json PRIVATE cdcrt_debezium_json cdcrt_flink_cdc ZLIB::ZLIB)
target_include_directories(test_debezium_json SYSTEM PRIVATE ${RapidJSON_INCLUDE_DIRS} ${RAPIDJSON_INCLUDE_DIRS})
