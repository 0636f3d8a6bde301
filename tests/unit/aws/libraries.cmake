find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
target_link_libraries(test_aws PRIVATE cdcrt_aws OpenSSL::Crypto ZLIB::ZLIB)
