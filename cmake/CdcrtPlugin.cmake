# cdcrt_add_plugin(NAME name KIND sources|formats|sinks SOURCES a.cpp ... [LIBRARIES x ...])
#
# One shared object with hidden visibility and one exported symbol, cdcrt_plugin_entry.
set(CDCRT_PLUGIN_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/plugin.map)

# Every bundled plugin: they are loaded at run time, so no other target needs them.
add_custom_target(cdcrt_all_plugins)

function(cdcrt_add_plugin)
  cmake_parse_arguments(PLUGIN "" "NAME;KIND" "SOURCES;LIBRARIES" ${ARGN})
  string(REGEX REPLACE "s$" "" kind ${PLUGIN_KIND})
  set(target cdcrt_${kind}_${PLUGIN_NAME})
  add_library(${target} MODULE ${PLUGIN_SOURCES})
  target_link_libraries(${target} PRIVATE cdcrt_sdk cdcrt_flags ${PLUGIN_LIBRARIES})
  target_link_options(${target} PRIVATE -Wl,--version-script=${CDCRT_PLUGIN_VERSION_SCRIPT} -Wl,--no-undefined)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${kind}-${PLUGIN_NAME} CXX_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/cdcrt/plugins INSTALL_RPATH "$ORIGIN")
  add_dependencies(cdcrt_all_plugins ${target})
  install(TARGETS ${target} LIBRARY DESTINATION lib/cdcrt/plugins)
endfunction()
