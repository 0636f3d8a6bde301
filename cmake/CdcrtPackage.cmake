# cpack --config build/release/CPackConfig.cmake: the packages cdcrt and cdcrt-dev of Debian, and a tarball that runs from any folder.
#
# Manual pages and completions are written by the program that was built: they cannot differ from it.
set(folder ${CMAKE_BINARY_DIR}/pages)
file(MAKE_DIRECTORY ${folder})
set(pages "")
foreach(page IN ITEMS "man cdcrt.1.gz" "man-manifest cdcrt-manifest.5.gz" "bash cdcrt.bash" "zsh _cdcrt" "fish cdcrt.fish")
  separate_arguments(page)
  list(GET page 0 name)
  list(GET page 1 file)
  set(command "$<TARGET_FILE:cdcrt> reference ${name} > ${file}")
  if(file MATCHES "\\.gz$")
    set(command "$<TARGET_FILE:cdcrt> reference ${name} | gzip -9n > ${file}")
  endif()
  add_custom_command(OUTPUT ${folder}/${file} COMMAND sh -c "${command}" WORKING_DIRECTORY ${folder} DEPENDS cdcrt VERBATIM)
  list(APPEND pages ${folder}/${file})
endforeach()
add_custom_command(OUTPUT ${folder}/changelog.gz COMMAND sh -c "gzip -9nc ${PROJECT_SOURCE_DIR}/CHANGELOG.md > changelog.gz"
  WORKING_DIRECTORY ${folder} DEPENDS ${PROJECT_SOURCE_DIR}/CHANGELOG.md VERBATIM)
list(APPEND pages ${folder}/changelog.gz)
add_custom_target(cdcrt_pages ALL DEPENDS ${pages})

# The quickstart beside its events.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/manifests/quickstart.toml)
file(READ ${PROJECT_SOURCE_DIR}/manifests/quickstart.toml quickstart)
string(REPLACE "../tests/data/debezium-postgres/" "" quickstart "${quickstart}")
string(REPLACE " Run by scripts/quickstart." "" quickstart "${quickstart}")
file(CONFIGURE OUTPUT ${folder}/quickstart.toml CONTENT "${quickstart}" @ONLY)

set(documents share/doc/cdcrt)
install(FILES ${folder}/cdcrt.1.gz DESTINATION share/man/man1 COMPONENT runtime)
install(FILES ${folder}/cdcrt-manifest.5.gz DESTINATION share/man/man5 COMPONENT runtime)
install(FILES ${folder}/cdcrt.bash DESTINATION share/bash-completion/completions RENAME cdcrt COMPONENT runtime)
install(FILES ${folder}/_cdcrt DESTINATION share/zsh/vendor-completions COMPONENT runtime)
install(FILES ${folder}/cdcrt.fish DESTINATION share/fish/vendor_completions.d COMPONENT runtime)
install(FILES packaging/systemd/cdcrt@.service DESTINATION lib/systemd/system COMPONENT runtime)
install(FILES packaging/debian/copyright ${folder}/changelog.gz DESTINATION ${documents} COMPONENT runtime)
install(FILES ${folder}/quickstart.toml tests/data/debezium-postgres/events.jsonl.gz DESTINATION ${documents}/examples COMPONENT runtime)
install(FILES packaging/debian/copyright ${folder}/changelog.gz docs/writing-a-plugin.md DESTINATION share/doc/cdcrt-dev COMPONENT development)

set(CDCRT_MAINTAINER "The cdcrt authors <cdcrt@localhost>" CACHE STRING "Maintainer that the packages name")
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME cdcrt)
set(CPACK_PACKAGE_VENDOR "the cdcrt authors")
set(CPACK_PACKAGE_CONTACT "${CDCRT_MAINTAINER}")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_VERBATIM_VARIABLES ON)
# One tarball with both.
set(CPACK_ARCHIVE_COMPONENT_INSTALL OFF)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME cdcrt)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION database)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
# ca-certificates: TLS; libsqliteodbc: the quickstart's target, and the smallest one there is.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "ca-certificates, libsqliteodbc")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS "odbc-postgresql, systemd, bash-completion")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "row changes from Kafka into tables, exactly once
 Carries the row changes that Debezium, Flink CDC or AWS DMS write into Kafka
 into tables of Amazon Redshift, PostgreSQL or SQLite, and keeps each equal to
 its source: nothing lost, nothing applied twice.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
  "${PROJECT_SOURCE_DIR}/packaging/debian/postinst;${PROJECT_SOURCE_DIR}/packaging/debian/prerm;${PROJECT_SOURCE_DIR}/packaging/debian/postrm")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME cdcrt-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# A plugin is tested with the program that loads it.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "cdcrt (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "cmake (>= 3.20), g++, rapidjson-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "row changes from Kafka into tables, exactly once: SDK
 Headers and the CMake package with which sources, formats and sinks of cdcrt
 are written.")
include(CPack)
