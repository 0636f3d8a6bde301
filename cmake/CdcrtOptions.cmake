# What every target of the project is compiled with.
option(CDCRT_DEVELOPER_MODE "Build tests and benchmarks" ON)
option(CDCRT_WARNINGS_AS_ERRORS "Fail on warnings" OFF)
set(CDCRT_SANITIZE "" CACHE STRING "Sanitizers: empty, 'address,undefined' or 'thread'")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CDCRT_CCACHE ccache)
if(CDCRT_CCACHE)
  # Paths relative to the checkout: another checkout of the same sources finds what this one compiled.
  set(CDCRT_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CDCRT_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CDCRT_LAUNCHER})
  set(CMAKE_C_COMPILER_LAUNCHER ${CDCRT_LAUNCHER})
endif()

# Flags of our own code only; third-party headers are system headers.
add_library(cdcrt_flags INTERFACE)
target_compile_options(cdcrt_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor  -Wcast-qual
  -Wno-restrict) # g++ 12 warns of its own std::string (GCC bug 105651)
if(CDCRT_WARNINGS_AS_ERRORS)
  target_compile_options(cdcrt_flags INTERFACE -Werror)
endif()
if(CDCRT_SANITIZE)
  add_compile_options(-fsanitize=${CDCRT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CDCRT_SANITIZE})
endif()
