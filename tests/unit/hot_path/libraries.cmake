target_sources(test_hot_path PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/apply/memory_sink.cpp ${CMAKE_CURRENT_SOURCE_DIR}/apply/rig.cpp)
target_link_libraries(test_hot_path PRIVATE cdcrt_debezium cdcrt_postgresql ${CMAKE_DL_LIBS})
