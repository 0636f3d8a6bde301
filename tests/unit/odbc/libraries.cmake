add_dependencies(test_odbc cdcrt_sink_odbc cdcrt_sink_postgresql) # loaded at run time, as the host does
target_link_libraries(test_odbc PRIVATE ${CMAKE_DL_LIBS})
target_link_libraries(test_odbc PRIVATE cdcrt_odbc) # keys of its connection strings are judged there
