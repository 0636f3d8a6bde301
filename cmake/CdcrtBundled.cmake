# The bundled plugins: as any other, with this project's warnings, and where the build's own cdcrt finds them.

# Every bundled plugin: they are loaded at run time, so no other target needs them.
add_custom_target(cdcrt_all_plugins)

function(cdcrt_add_bundled_plugin)
  cmake_parse_arguments(PLUGIN "" "NAME;KIND" "SOURCES;LIBRARIES" ${ARGN})
  cdcrt_add_plugin(${ARGN})
  string(REGEX REPLACE "s$" "" kind "${PLUGIN_KIND}")
  set(target cdcrt_${kind}_${PLUGIN_NAME})
  target_link_libraries(${target} PRIVATE cdcrt_flags)
  set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/cdcrt/plugins)
  add_dependencies(cdcrt_all_plugins ${target})
endfunction()
