#include <doctest/doctest.h>

#include "odbc/connection_string.hpp"

using cdcrt::odbc::scrub;

TEST_CASE("secrets: a driver's text loses those of the settings, quoted as it was given them too") {
  cdcrt::odbc::ConnectionSettings settings;
  settings.secrets = {"hun}ter2", "x"};
  CHECK(scrub("no user hun}ter2", settings) == "no user ***");
  CHECK(scrub("in '{hun}}ter2}' x", settings) == "in '{***}' x");
}

TEST_CASE("secrets: a driver's text loses passwords that only it knows, however they are quoted") {
  const cdcrt::odbc::ConnectionSettings none;
  CHECK(scrub("DSN=a;PWD=hunter2;UID=b", none) == "DSN=a;PWD=***;UID=b");
  CHECK(scrub("DSN=a;pwd={hun;t }}er2};UID=b", none) == "DSN=a;pwd=***;UID=b");
  CHECK(scrub("host=a password='hun ter2' user=b", none) == "host=a password=*** user=b");
  CHECK(scrub("Password={hunter2", none) == "Password=***");
  CHECK(scrub("PWD=", none) == "PWD=***");
}
