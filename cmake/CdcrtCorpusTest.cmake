# One case of cdcrt_add_corpus_test: decodes INPUT with PLUGIN through PROGRAM and compares what comes out with the .rows beside it.
get_filename_component(folder ${INPUT} DIRECTORY)
get_filename_component(name ${INPUT} NAME_WLE)
set(expected ${folder}/${name}.rows)
get_filename_component(file ${INPUT} NAME)
set(actual ${CMAKE_CURRENT_BINARY_DIR}/${file}.rows.actual)
set(layout values)
if(INPUT MATCHES "\\.kcat$")
  set(layout kcat)
endif()
set(options "")
if(EXISTS ${folder}/${name}.options)
  set(options --options ${folder}/${name}.options)
endif()

execute_process(
  COMMAND ${PROGRAM} decode --plugin ${PLUGIN} --layout ${layout} --output json ${options} ${INPUT}
  OUTPUT_FILE ${actual} ERROR_VARIABLE errors RESULT_VARIABLE result)
# 4: done with dead letters, which stand among the rows.
if(NOT result EQUAL 0 AND NOT result EQUAL 4)
  message(FATAL_ERROR "cdcrt decode ended with ${result}:\n${errors}")
endif()

if(NOT "$ENV{CDCRT_UPDATE_CORPUS}" STREQUAL "")
  execute_process(COMMAND ${CMAKE_COMMAND} -E copy ${actual} ${expected})
  message(STATUS "written: ${expected}")
  return()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files --ignore-eol ${expected} ${actual} RESULT_VARIABLE differs)
if(differs)
  execute_process(COMMAND diff -u ${expected} ${actual})
  message(FATAL_ERROR "the rows of ${INPUT} are not those of ${expected}; if they should be: CDCRT_UPDATE_CORPUS=1 ctest")
endif()
