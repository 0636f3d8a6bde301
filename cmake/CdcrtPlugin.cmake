# What plugins are built with, here and out of tree (find_package(cdcrt) includes this file).
#
# cdcrt_add_plugin(NAME name KIND format|source|sink SOURCES a.cpp ... [LIBRARIES x ...])
#   One shared object KIND-NAME.so with hidden visibility and one exported symbol, cdcrt_plugin_entry. The target is cdcrt_KIND_NAME.
#   LIBRARIES cdcrt::json brings RapidJSON for cdcrt/sdk/json.hpp.
#
# cdcrt_add_corpus_test(NAME name FOLDER corpus)
#   One test per X.messages (a value a line) or X.kcat (as `kcat -C -J` prints messages) in FOLDER: decoded by the format with the settings
#   of X.options (key=value a line), it must become X.rows. With CDCRT_UPDATE_CORPUS=1 in the environment X.rows is written anew.
set(CDCRT_PLUGIN_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/plugin.map)
set(CDCRT_CORPUS_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/CdcrtCorpusTest.cmake)

if(NOT TARGET cdcrt::json)
  find_package(RapidJSON QUIET)
  if(RapidJSON_FOUND)
    # Debian's package says it in capitals.
    add_library(cdcrt_rapidjson INTERFACE IMPORTED)
    target_include_directories(cdcrt_rapidjson SYSTEM INTERFACE ${RapidJSON_INCLUDE_DIRS} ${RAPIDJSON_INCLUDE_DIRS})
    add_library(cdcrt::json ALIAS cdcrt_rapidjson)
  endif()
endif()

function(cdcrt_add_plugin)
  cmake_parse_arguments(PLUGIN "" "NAME;KIND" "SOURCES;LIBRARIES" ${ARGN})
  string(REGEX REPLACE "s$" "" kind "${PLUGIN_KIND}")
  if(NOT PLUGIN_NAME MATCHES "^[a-z][a-z0-9-]*$" OR NOT kind MATCHES "^(format|source|sink)$" OR NOT PLUGIN_SOURCES)
    message(FATAL_ERROR "cdcrt_add_plugin needs NAME (lower case, digits and '-'), KIND (format, source or sink) and SOURCES")
  endif()
  if("cdcrt::json" IN_LIST PLUGIN_LIBRARIES AND NOT TARGET cdcrt::json)
    message(FATAL_ERROR "cdcrt/sdk/json.hpp needs RapidJSON: install rapidjson-dev")
  endif()
  set(target cdcrt_${kind}_${PLUGIN_NAME})
  add_library(${target} MODULE ${PLUGIN_SOURCES})
  target_link_libraries(${target} PRIVATE cdcrt::sdk ${PLUGIN_LIBRARIES})
  target_compile_features(${target} PRIVATE cxx_std_17)
  target_link_options(${target} PRIVATE -Wl,--version-script=${CDCRT_PLUGIN_VERSION_SCRIPT} -Wl,--no-undefined)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${kind}-${PLUGIN_NAME} CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins INSTALL_RPATH "$ORIGIN")
  install(TARGETS ${target} LIBRARY DESTINATION lib/cdcrt/plugins COMPONENT runtime)
endfunction()

function(cdcrt_add_corpus_test)
  cmake_parse_arguments(CORPUS "" "NAME;FOLDER" "" ${ARGN})
  get_filename_component(folder ${CORPUS_FOLDER} ABSOLUTE)
  file(GLOB inputs CONFIGURE_DEPENDS ${folder}/*.messages ${folder}/*.kcat)
  if(NOT inputs)
    message(FATAL_ERROR "cdcrt_add_corpus_test: no *.messages and no *.kcat in ${folder}")
  endif()
  set(stems "")
  foreach(input IN LISTS inputs)
    get_filename_component(case ${input} NAME)
    get_filename_component(stem ${input} NAME_WLE)
    if(stem IN_LIST stems)
      message(FATAL_ERROR "cdcrt_add_corpus_test: ${stem}.messages and ${stem}.kcat would share ${stem}.rows")
    endif()
    list(APPEND stems ${stem})
    add_test(NAME ${CORPUS_NAME}.corpus.${case}
      COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:cdcrt::cdcrt> -DPLUGIN=$<TARGET_FILE:cdcrt_format_${CORPUS_NAME}>
        -DINPUT=${input} -P ${CDCRT_CORPUS_SCRIPT})
  endforeach()
endfunction()
