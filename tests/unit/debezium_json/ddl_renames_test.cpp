#include "debezium/ddl_renames.hpp"

#include <doctest/doctest.h>

namespace {

using cdcrt::debezium::ColumnRename;
using cdcrt::debezium::renames_of;
using Renames = std::vector<ColumnRename>;

TEST_CASE("a statement says which columns it renames") {
  CHECK(renames_of("ALTER TABLE orders RENAME COLUMN note TO remark", "orders") == Renames{{"note", "remark"}});
  CHECK(renames_of("alter table `shop`.`orders` change `note` `re``mark` varchar(10) default 'x,y' comment \"a, b\"", "orders") ==
        Renames{{"note", "re`mark"}});
  CHECK(renames_of("ALTER ONLINE TABLE IF EXISTS shop.Orders NOWAIT CHANGE COLUMN IF EXISTS a b DECIMAL(10,2), ADD COLUMN c INT AFTER b,\n"
                   "RENAME COLUMN d TO e;",
                   "orders") == Renames{{"a", "b"}, {"d", "e"}});
  CHECK(renames_of("ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a", "t") == Renames{{"a", "b"}, {"b", "a"}});
  CHECK(renames_of("/* c */ ALTER TABLE t /*!80000 RENAME COLUMN a TO b */ -- , rename column x to y\n", "t") == Renames{{"a", "b"}});
  CHECK(renames_of("ALTER TABLE t /*M!100500 CHANGE a b INT */ # end", "t") == Renames{{"a", "b"}});
  CHECK(renames_of("ALTER TABLE \"S\".\"T\" RENAME COLUMN \"A\" TO \"B\"", "T") == Renames{{"A", "B"}});
}

TEST_CASE("what renames no column of the table, or cannot be read, is no rename") {
  for (const char* ddl : {"", "ALTER TABLE t RENAME TO u", "ALTER TABLE t RENAME INDEX a TO b", "ALTER TABLE t CHANGE a a BIGINT",
                          "RENAME TABLE t TO u, v TO w", "ALTER TABLE other RENAME COLUMN a TO b", "CREATE TABLE t (`change` INT, b INT)",
                          "ALTER TABLE t COMMENT 'rename column a to b'", "ALTER TABLE t ADD COLUMN c ENUM('x, RENAME COLUMN a TO b')",
                          "ALTER TABLE t RENAME COLUMN a TO", "ALTER TABLE t RENAME COLUMN a b", "ALTER TABLE t CHANGE 'a' b INT",
                          "ALTER TABLE t RENAME COLUMN a TO b /* open", "ALTER TABLE t RENAME COLUMN `a TO b",
                          "ALTER TABLE t RENAME COLUMN a TO b; ALTER TABLE t RENAME COLUMN b TO c",
                          "ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN a TO c", "ALTER TABLE t RENAME COLUMN a TO b) , ADD c INT",
                          "ALTER TABLE t ADD c INT, MODIFY a TEXT"}) {
    CAPTURE(ddl);
    CHECK(renames_of(ddl, "t").empty());
  }
}

}  // namespace
