// Names that may have been meant.
#include <doctest/doctest.h>

#include "cdcrt/sdk/near_names.hpp"

using namespace cdcrt::sdk;

TEST_CASE("near names: the nearest first, swaps of neighbours count as one slip, nothing far") {
  CHECK(near_names("ordres", {"orders", "order", "customers"}) == std::vector<std::string>{"orders"});
  CHECK(near_names("shop.orders", {"shop.order", "shop.orderz", "shop.odrerz", "x"}).front() == "shop.order");
  CHECK(near_names("a", {"bcd"}).empty());
  CHECK(near_names("Postgres Unicode", {"PostgreSQL ANSI", "PostgreSQL Unicode", "SQLite3"}) ==
        std::vector<std::string>{"PostgreSQL Unicode"});
  CHECK(did_you_mean({}).empty());
  CHECK(did_you_mean({"a", "b", "c"}) == "did you mean 'a', 'b' or 'c'?");
}
