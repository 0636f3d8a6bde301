// Descriptor of the plugin dms.
#include "dms.hpp"

namespace {

namespace option = cdcrt::sdk::option;

constexpr const char* kDeletes[] = {"key", "row", nullptr};
constexpr const char* kLoads[] = {"oldest", "in_time", nullptr};

constexpr cdcrt_option kOptions[] = {
    option::boolean("include_null_and_empty")
        .default_value("false")
        .doc("The endpoint's `IncludeNullAndEmpty`. `false`, as there by default: a column that a record leaves out is NULL, or as "
             "`empty_when_absent` says. `true`: every record has every column, and one that it lacks keeps the target's value. `false` is "
             "right in both cases, but not for sources whose updates carry the changed columns alone: the others would become NULL."),
    option::list("empty_when_absent")
        .example("[\"shop.customer.name\", \"orders.note\"]")
        .doc("Columns (`table.column`, `schema.table.column`; `*` in the schema alone, since each table that matches gets the column) of "
             "which a record leaves out empty texts and no NULLs: they are '' where they are absent. For columns that are NOT NULL at the "
             "source."),
    option::text("before_image_field")
        .example("\"before-image\"")
        .doc("`FieldName` of the task's `BeforeImageSettings`. Not set: whatever object stands beside `data` and `metadata`."),
    option::text("before_image_prefix")
        .default_value("BI_")
        .example("\"\"")
        .doc(
            "`column-prefix` of the rule `add-before-image-columns`. Empty, with an empty suffix: columns of such names are the table's own."),
    option::text("before_image_suffix").default_value("").example("\"_old\"").doc("`column-suffix` of that rule."),
    option::one_of("deletes", kDeletes)
        .default_value("key")
        .example("row")
        .doc("`key`: a null in a delete means that the record does not know the column. `row`: it means NULL, where the source logs whole "
             "rows (MySQL; PostgreSQL with REPLICA IDENTITY FULL); deletes of a table without key need it."),
    option::one_of("loads", kLoads)
        .advanced()
        .default_value("oldest")
        .example("in_time")
        .doc(
            "`oldest`: a row of a full load is older than every change, whichever is read first. `in_time`: it counts by the time at which "
            "DMS wrote it, so that a reload of the table wins over the changes before it."),
};

}  // namespace

const char* cdcrt::dms::Dms::notes() {
  return "Records tell no types: until a table's definition (a control record with details) is known, they are learned from the values.\n\n"
         "| Type in a table definition | type |\n|---|---|\n"
         "| BOOLEAN | BOOL, also of the texts `true`, `t`, `1` |\n"
         "| INT1, INT2 or INT16, INT4 or INT32, INT8 or INT64 | INT8, INT16, INT32, INT64 |\n"
         "| UINT1, UINT2 or UINT16, UINT4 or UINT32 | INT16, INT32, INT64 |\n"
         "| UINT8 or UINT64 | UINT64 |\n"
         "| NUMERIC | DECIMAL, with `precision` and `scale` where they are told |\n"
         "| REAL4, REAL8 | FLOAT32, FLOAT64 |\n"
         "| DATE, TIME | DATE, TIME |\n| DATETIME, TIMESTAMP | TIMESTAMP |\n"
         "| STRING, WSTRING | STRING, with their length |\n| CLOB, NCLOB | STRING |\n"
         "| BYTES, BLOB | BYTES, of hexadecimal digits with or without `0x` |\n"
         "| any other | learned from the values |\n\n"
         "A value that only is too long or too large for its definition widens the column; one of another kind is a dead letter.";
}

CDCRT_FORMAT("dms", "1.0.0", cdcrt::dms::Dms, kOptions)
