# cmake --install: bin/, lib/cdcrt/plugins/, include/cdcrt/, lib/cmake/cdcrt/ with the package that find_package(cdcrt) finds.
include(CMakePackageConfigHelpers)
set(folder lib/cmake/cdcrt)
install(EXPORT cdcrtTargets NAMESPACE cdcrt:: DESTINATION ${folder} COMPONENT development)
configure_package_config_file(cmake/cdcrtConfig.cmake.in ${CMAKE_BINARY_DIR}/cdcrtConfig.cmake INSTALL_DESTINATION ${folder})
# Until ABI 1.0 a plugin is built with the headers of the very version that loads it.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/cdcrtConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/cdcrtConfig.cmake ${CMAKE_BINARY_DIR}/cdcrtConfigVersion.cmake cmake/CdcrtPlugin.cmake
  cmake/CdcrtCorpusTest.cmake cmake/plugin.map DESTINATION ${folder} COMPONENT development)
