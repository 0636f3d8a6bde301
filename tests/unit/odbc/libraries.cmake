add_dependencies(test_odbc cdcrt_sink_odbc cdcrt_sink_postgresql) # loaded at run time, as the host does
target_link_libraries(test_odbc PRIVATE ${CMAKE_DL_LIBS})
target_link_libraries(test_odbc PRIVATE cdcrt_odbc) # keys of its connection strings are judged there
target_link_libraries(test_odbc PRIVATE cdcrt_postgresql) # what it sends in binary form is asked there
# What is asked of PostgreSQL alone, through the other sink too.
add_test(NAME unit.odbc_through_libpq COMMAND test_odbc -sf=*adopted_test.cpp,*arrays_test.cpp)
set_tests_properties(unit.odbc_through_libpq PROPERTIES LABELS fast ENVIRONMENT "CDCRT_TEST_POSTGRESQL=libpq")
