// Where the tests find what was built and what they read. In one object, so that the others are the same in every checkout.
#pragma once

#include <string>

namespace paths {

std::string source();     ///< the checkout
std::string test_data();  ///< tests/data
std::string plugins();    ///< the built plugins

}  // namespace paths
