target_sources(test_redshift PRIVATE ${PROJECT_SOURCE_DIR}/plugins/sinks/redshift/src/host_tables.cpp)
target_include_directories(test_redshift PRIVATE ${PROJECT_SOURCE_DIR}/plugins/sinks/redshift/src)
target_link_libraries(test_redshift PRIVATE cdcrt_redshift_sql cdcrt_odbc cdcrt_aws)
