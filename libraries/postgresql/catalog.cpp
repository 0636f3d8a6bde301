#include "postgresql/catalog.hpp"

#include "sql/identifier.hpp"

namespace cdcrt::postgresql {

using sdk::Status;

namespace {

// Of pg_class and pg_index, no column of which is in another table that is asked here.
#define CDCRT_TAKES_COPIES "relkind IN ('r', 'p') AND NOT relhasrules AND NOT relrowsecurity"
#define CDCRT_IS_KEY "indisunique AND indisvalid AND indimmediate AND indpred IS NULL AND indexprs IS NULL"

constexpr std::string_view kQuery = R"(
SELECT c.relkind::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
  format_type(b.type, b.modifier), format_type(a.atttypid, -1), a.attnotnull::text,
  CASE WHEN y.typcategory = 'A' AND e.type <> 0 THEN format_type(e.type, e.modifier) ELSE '' END, (coalesce(z.typname, y.typname)::text IN ('json','xml','point','box','line','lseg','path','polygon','circle','aclitem'))::text, coalesce(k.place, 0)::text,
  coalesce(a.attgenerated <> '', false)::text, coalesce(a.attidentity = 'a', false)::text,
  (CASE WHEN z.typname = 'money' THEN scale(1::money::numeric) ELSE 0 END)::text,
  (y.typname = 'citext' OR y.typcategory = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_collation o WHERE NOT o.collisdeterministic AND (o.oid = a.attcollation OR o.oid IN (
    SELECT unnest(i.indcollation::oid[]) FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique))))::text, a.atttypid::text,
  ()" CDCRT_TAKES_COPIES R"()::text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN LATERAL (
  WITH RECURSIVE below (type, modifier, depth) AS (
    SELECT a.atttypid, a.atttypmod, 0
    UNION ALL SELECT d.typbasetype, d.typtypmod, w.depth + 1 FROM below w JOIN pg_catalog.pg_type d ON d.oid = w.type WHERE d.typtype = 'd')
  SELECT type, modifier FROM below ORDER BY depth DESC LIMIT 1) b ON true
LEFT JOIN pg_catalog.pg_type y ON y.oid = b.type
LEFT JOIN LATERAL (
  WITH RECURSIVE below (type, modifier, depth) AS (
    SELECT y.typelem, b.modifier, 0
    UNION ALL SELECT d.typbasetype, d.typtypmod, w.depth + 1 FROM below w JOIN pg_catalog.pg_type d ON d.oid = w.type WHERE d.typtype = 'd')
  SELECT type, modifier FROM below WHERE y.typcategory = 'A' ORDER BY depth DESC LIMIT 1) e ON true
LEFT JOIN pg_catalog.pg_type z ON z.oid = coalesce(nullif(e.type, 0), b.type)
LEFT JOIN LATERAL (
  SELECT i.indexrelid, i.indkey::int2[] AS members, i.indnkeyatts FROM pg_catalog.pg_index i
  WHERE i.indrelid = c.oid AND )" CDCRT_IS_KEY R"(
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute m WHERE m.attrelid = c.oid AND m.attnum = ANY (i.indkey::int2[]) AND NOT m.attnotnull)
  ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1) u ON true
LEFT JOIN LATERAL (
  SELECT g.place FROM unnest(u.members) WITH ORDINALITY AS g(member, place) WHERE g.member = a.attnum AND g.place <= u.indnkeyatts) k ON true
WHERE n.nspname = ?::text AND c.relname = ?::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY a.attnum)";

}  // namespace

std::string same_table_question(std::string_view quoted_table, const std::vector<const CatalogColumn*>& columns,
                                const std::vector<std::string_view>& key) {
  const auto literal = [](std::string_view text) {
    std::string made;
    sql::append_literal(made, text);
    return made;
  };
  const std::string table = literal(quoted_table) + "::pg_catalog.regclass";
  std::string typed, names;
  for (const CatalogColumn* column : columns)
    typed += (typed.empty() ? "(" : ", (") + literal(column->name) + ", " + std::to_string(column->type_number) + ")";
  for (const std::string_view name : key) names += (names.empty() ? "" : ", ") + literal(name);
  std::string text = "SELECT (SELECT " CDCRT_TAKES_COPIES " FROM pg_catalog.pg_class WHERE oid = " + table +
                     ") AND (SELECT count(*) FROM pg_catalog.pg_attribute WHERE attrelid = " + table +
                     " AND NOT attisdropped AND (attname, atttypid) IN (" + typed + ")) = " + std::to_string(columns.size());
  if (key.empty()) return text;
  const std::string count = std::to_string(key.size());
  return text + " AND EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = " + table +
         " AND " CDCRT_IS_KEY " AND i.indnkeyatts = " + count +
         " AND (SELECT count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname IN (" + names +
         ") AND a.attnum = ANY ((i.indkey::int2[])[0:" + std::to_string(key.size() - 1) + "])) = " + count + ")";
}

bool operator==(const CatalogColumn& left, const CatalogColumn& right) {
  return left.name == right.name && left.type == right.type && left.base_type == right.base_type && left.not_null == right.not_null &&
         left.key_ordinal == right.key_ordinal && left.generated == right.generated && left.identity == right.identity;
}

const sql::Statement& catalog_question() {
  static const sql::Statement question{std::string(kQuery), {0, 1}};
  return question;
}

Status read_catalog(sql::Session& session, std::string_view schema, std::string_view table, CatalogTable& out) {
  Status status;
  const auto query = session.query(kQuery, 2, sql::Planning::kEachTime, "cannot read the catalog for table " + sql::shown(table), status);
  return query == nullptr ? std::move(status) : read_catalog(*query, schema, table, out);
}

Status read_catalog(sql::Query& query, std::string_view schema, std::string_view table, CatalogTable& out) {
  const std::string doing = "cannot read the catalog for table " + sql::shown(table);
  out = CatalogTable();
  query.bind_text(0, schema);
  query.bind_text(1, table);
  Status status = query.execute(sql::Moment::kStatement, doing);
  while (status) {
    bool found = false;
    status = query.fetch(found, doing);
    if (!status || !found) break;
    std::string fields[15];
    bool null = false;
    bool no_column = false;
    for (std::size_t i = 0; i < 15 && status; ++i) {
      status = query.text(i, fields[i], null, doing);
      no_column = no_column || (i == 1 && null);
    }
    if (!status) break;
    out.exists = true;
    out.is_view = fields[0] == "v" || fields[0] == "m";
    out.takes_copies = fields[14] == "true";
    if (no_column) continue;  // a table may have no columns at all
    CatalogColumn column;
    column.name = fields[1];
    column.type = fields[2];
    column.base_type = fields[3];
    column.cast = fields[4];
    column.not_null = fields[5] == "true";
    column.is_array = !fields[6].empty();
    column.compare_as_text = fields[7] == "true";
    column.key_ordinal = static_cast<uint32_t>(std::stoul(fields[8]));
    column.generated = fields[9] == "true";
    column.identity = fields[10] == "true";
    column.inexact = fields[12] == "true";
    // An array's constant goes as text; a domain has a number of its own.
    column.type_number = static_cast<uint32_t>(std::stoul(fields[13]));
    column.binary = column.is_array ? BinaryType::kText : binary_type(column.type_number);
    const std::string_view base = column.base_type;
    if (column.is_array && base.size() > 2 && base.substr(base.size() - 2) == "[]") column.element = fields[6];
    column.limit = sql::limit_of(column.element.empty() ? column.base_type : column.element, static_cast<int32_t>(std::stol(fields[11])));
    out.columns.push_back(std::move(column));
  }
  query.close();
  return status;
}

}  // namespace cdcrt::postgresql
