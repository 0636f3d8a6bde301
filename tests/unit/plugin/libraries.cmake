# Shared objects that are wrong in one way each, in a folder of their own.
set(fixture_folder ${CMAKE_BINARY_DIR}/fixtures/plugins)

function(cdcrt_plugin_fixture file)
  cmake_parse_arguments(FIXTURE "" "" "DEFINITIONS;LIBRARIES" ${ARGN})
  string(MAKE_C_IDENTIFIER "fixture_${file}" target)
  add_library(${target} MODULE ${CMAKE_CURRENT_LIST_DIR}/fixtures/fixture.cpp)
  target_compile_definitions(${target} PRIVATE ${FIXTURE_DEFINITIONS})
  target_link_libraries(${target} PRIVATE cdcrt_sdk ${FIXTURE_LIBRARIES})
  # No run path, so that what is missing stays missing.
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${file} LIBRARY_OUTPUT_DIRECTORY ${fixture_folder} SKIP_BUILD_RPATH ON)
  add_dependencies(test_plugin ${target})
endfunction()

cdcrt_plugin_fixture(format-good DEFINITIONS FIXTURE_NAME="good")
cdcrt_plugin_fixture(format-twin DEFINITIONS FIXTURE_NAME="good")
cdcrt_plugin_fixture(format-misnamed DEFINITIONS FIXTURE_NAME="other")
cdcrt_plugin_fixture(format-future DEFINITIONS FIXTURE_NAME="future" FIXTURE_ABI_MINOR=99)
cdcrt_plugin_fixture(format-badname DEFINITIONS FIXTURE_NAME="Bad_Name")
cdcrt_plugin_fixture(format-reserved DEFINITIONS FIXTURE_NAME="reserved" FIXTURE_OPTION="batch.size")
cdcrt_plugin_fixture(format-hollow DEFINITIONS FIXTURE_NAME="hollow" FIXTURE_DECODE=nullptr)
cdcrt_plugin_fixture(format-noentry DEFINITIONS FIXTURE_NAME="noentry" FIXTURE_ENTRY=some_other_entry)
cdcrt_plugin_fixture(sink-required DEFINITIONS FIXTURE_NAME="required" FIXTURE_SINK)

add_library(fixture_absent SHARED ${CMAKE_CURRENT_LIST_DIR}/fixtures/absent.cpp)
set_target_properties(fixture_absent PROPERTIES OUTPUT_NAME cdcrt_absent LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fixtures/absent)
cdcrt_plugin_fixture(format-needy DEFINITIONS FIXTURE_NAME="needy" FIXTURE_NEEDS LIBRARIES fixture_absent)

target_compile_definitions(test_plugin PRIVATE CDCRT_FIXTURES="${fixture_folder}")
