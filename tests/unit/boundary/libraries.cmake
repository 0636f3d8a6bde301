# The headers alone, as C11 and as C++17, without a word of complaint; and plugins built from headers of other versions.
set(abi ${PROJECT_SOURCE_DIR}/tests/abi)
set(abi_plugins ${CMAKE_BINARY_DIR}/fixtures/abi)

add_library(abi_layout OBJECT ${abi}/layout.c ${abi}/layout_in_cpp.cpp)
target_link_libraries(abi_layout PRIVATE cdcrt_sdk)
target_compile_options(abi_layout PRIVATE -Wall -Wextra -Wpedantic -Wpadded -Werror)
set_target_properties(abi_layout PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF CXX_STANDARD 17 UNITY_BUILD OFF)

function(cdcrt_abi_plugin name source headers)
  add_library(abi_${name} MODULE ${source})
  target_include_directories(abi_${name} PRIVATE ${headers})
  target_compile_options(abi_${name} PRIVATE -Wall -Wextra -Wpedantic -Werror)
  set_target_properties(abi_${name} PROPERTIES PREFIX "" OUTPUT_NAME format-${name} LIBRARY_OUTPUT_DIRECTORY ${abi_plugins}
    C_STANDARD 11 C_EXTENSIONS OFF CXX_STANDARD 17)
  add_dependencies(test_boundary abi_${name})
endfunction()

cdcrt_abi_plugin(lines ${abi}/0.7/lines.c ${abi}/0.7)
cdcrt_abi_plugin(renames ${abi}/0.8/renames.c ${abi}/0.8)
cdcrt_abi_plugin(separated ${abi}/0.9/separated.c ${abi}/0.9)
cdcrt_abi_plugin(places ${abi}/0.10/places.c ${abi}/0.10)
cdcrt_abi_plugin(surveyed ${abi}/0.11/surveyed.c ${abi}/0.11)
set_target_properties(abi_places PROPERTIES OUTPUT_NAME source-places)
set_target_properties(abi_surveyed PROPERTIES OUTPUT_NAME source-surveyed)
cdcrt_abi_plugin(later ${abi}/later.cpp ${PROJECT_SOURCE_DIR}/sdk/include)
add_dependencies(test_boundary abi_layout cdcrt_source_file cdcrt_sink_blackhole)

target_compile_definitions(test_boundary PRIVATE CDCRT_ABI_PLUGINS="${abi_plugins}"
  CDCRT_HEADERS="${PROJECT_SOURCE_DIR}/sdk/include/cdcrt/abi" CDCRT_FROZEN_HEADERS="${abi}")
