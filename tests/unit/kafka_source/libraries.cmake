set(kafka_source ${PROJECT_SOURCE_DIR}/plugins/sources/kafka/src)
target_sources(test_kafka_source PRIVATE ${kafka_source}/broker_error.cpp ${kafka_source}/client.cpp ${kafka_source}/diagnostics.cpp
  ${kafka_source}/fetch_lane.cpp ${kafka_source}/fetch_lanes.cpp ${kafka_source}/fetch_queue.cpp ${kafka_source}/group_consumer.cpp
  ${kafka_source}/group_delivery.cpp ${kafka_source}/group_rebalance.cpp ${kafka_source}/inspector.cpp ${kafka_source}/inspector_lists.cpp
  ${kafka_source}/intake_limit.cpp ${kafka_source}/leaders.cpp ${kafka_source}/message_copy.cpp ${kafka_source}/owned.cpp ${kafka_source}/partition_state.cpp
  ${kafka_source}/properties.cpp ${kafka_source}/rereader.cpp ${kafka_source}/rereader_lists.cpp ${kafka_source}/settings.cpp
  ${kafka_source}/start_position.cpp ${kafka_source}/topic_patterns.cpp)
target_include_directories(test_kafka_source PRIVATE ${kafka_source})
target_link_libraries(test_kafka_source PRIVATE cdcrt_kafka)
