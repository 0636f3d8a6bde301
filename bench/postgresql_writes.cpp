#include "postgresql_writes.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "random.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/postgresql_array.hpp"

namespace cdcrt::bench {

std::vector<Batch> make_batches(std::size_t size, std::size_t total) {
  Random random(7);
  std::vector<int64_t> live;
  std::vector<Batch> batches;
  int64_t next = 1;
  for (std::size_t made = 0; made < total; made += size) {
    Batch& batch = batches.emplace_back();
    batch.offset = static_cast<int64_t>(made + size);
    std::vector<int64_t> fresh;
    const auto text = [&](std::size_t words, cdcrt_tag tag = CDCRT_STRING) {
      auto& kept = batch.texts.emplace_back(std::make_unique<std::string>());
      for (std::size_t i = 0; i < words; ++i) *kept += (i == 0 ? "" : " ") + std::string("word") + std::to_string(random.below(1000));
      return sql::text_cell(tag, *kept);
    };
    const auto decimal = [&] {
      auto& kept = batch.texts.emplace_back(
          std::make_unique<std::string>(std::to_string(random.below(1'000'000)) + "." + std::to_string(10 + random.below(90))));
      return sql::text_cell(CDCRT_DECIMAL, *kept);
    };
    for (std::size_t i = 0; i < size; ++i) {
      const uint64_t kind = random.below(100);
      if (kind >= 40 && !live.empty()) {
        const std::size_t at = random.below(live.size());
        const int64_t id = live[at];
        live[at] = live.back(), live.pop_back();
        if (kind >= 85) {
          batch.keys.push_back(sql::integer_cell(CDCRT_I64, id));
          continue;
        }
        fresh.push_back(id);
      } else {
        fresh.push_back(next++);
      }
      auto& rows = batch.rows;
      cdcrt_cell real{};
      real.tag = CDCRT_F64;
      real.value.real = static_cast<double>(random.below(100'000)) / 8;
      const auto moment = static_cast<int64_t>(1'700'000'000'000'000 + random.below(1'000'000'000'000));
      rows.insert(rows.end(),
                  {sql::integer_cell(CDCRT_I64, fresh.back()), text(3), random.below(4) == 0 ? sql::integer_cell(CDCRT_NULL, 0) : text(8),
                   sql::integer_cell(CDCRT_BOOL, static_cast<int64_t>(random.below(2))), decimal(),
                   sql::integer_cell(CDCRT_I64, static_cast<int64_t>(random.below(100))), real, sql::integer_cell(CDCRT_TIMESTAMP, moment),
                   sql::integer_cell(CDCRT_TIMESTAMPTZ, moment), text(1),
                   sql::integer_cell(CDCRT_I64, static_cast<int64_t>(random.below(1'000'000))),
                   sql::integer_cell(CDCRT_I64, static_cast<int64_t>(random.below(9))), decimal(), text(2)});
    }
    live.insert(live.end(), fresh.begin(), fresh.end());
  }
  return batches;
}

cdcrt_column abi_column(const Column& column) {
  cdcrt_column out{};
  out.name = sdk::borrow(column.name);
  out.type.kind = column.kind;
  return out;
}

void put(std::string& out, uint64_t value, int bytes) {
  for (int shift = bytes * 8 - 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}
void set(std::string& out, std::size_t at, uint64_t value, int bytes) {
  for (int shift = bytes * 8 - 8; shift >= 0; shift -= 8) out[at++] = static_cast<char>(value >> shift);
}

void put_numeric(std::string& out, std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::size_t scale = point == text.size() ? 0 : text.size() - point - 1;
  std::string digits(text.substr(0, point));
  digits.insert(0, (4 - digits.size() % 4) % 4, '0');
  const auto weight = static_cast<int>(digits.size() / 4) - 1;
  if (scale > 0) digits += text.substr(point + 1);
  digits.append((4 - digits.size() % 4) % 4, '0');
  put(out, digits.size() / 4, 2), put(out, static_cast<uint64_t>(weight), 2), put(out, 0, 2), put(out, scale, 2);
  for (std::size_t i = 0; i < digits.size(); i += 4)
    put(out,
        static_cast<uint64_t>((digits[i] - '0') * 1000 + (digits[i + 1] - '0') * 100 + (digits[i + 2] - '0') * 10 + digits[i + 3] - '0'),
        2);
}

void put_value(std::string& out, const cdcrt_cell& cell, const Column& column) {
  constexpr int64_t kEpoch = 946'684'800'000'000;  // 2000-01-01
  switch (cell.tag) {
    case CDCRT_BOOL: put(out, static_cast<uint64_t>(cell.value.integer), 1); return;
    case CDCRT_I64: put(out, static_cast<uint64_t>(cell.value.integer), column.oid == 23 ? 4 : 8); return;
    case CDCRT_F64: {
      uint64_t bits = 0;
      std::memcpy(&bits, &cell.value.real, sizeof bits);
      put(out, bits, 8);
      return;
    }
    case CDCRT_TIMESTAMP:
    case CDCRT_TIMESTAMPTZ: put(out, static_cast<uint64_t>(cell.value.integer - kEpoch), 8); return;
    case CDCRT_DECIMAL: put_numeric(out, sql::bytes_of(cell)); return;
    default: out += sql::bytes_of(cell);
  }
}
void put_field(std::string& out, const cdcrt_cell& cell, const Column& column) {
  const std::size_t at = out.size();
  put(out, 0xFFFFFFFF, 4);
  if (cell.tag == CDCRT_NULL) return;
  put_value(out, cell, column);
  set(out, at, out.size() - at - 4, 4);
}

std::string binary_array(const std::vector<cdcrt_cell>& cells, std::size_t at, std::size_t width, const Column& column) {
  std::string out;
  put(out, 1, 4), put(out, 1, 4), put(out, column.oid, 4), put(out, cells.size() / width, 4), put(out, 1, 4);
  for (std::size_t i = at; i < cells.size(); i += width) put_field(out, cells[i], column);
  return out;
}
std::string text_array(const std::vector<cdcrt_cell>& cells, std::size_t at, std::size_t width, const Column& column) {
  sql::PostgresqlArray array;
  const cdcrt_column abi = abi_column(column);
  array.clear();
  for (std::size_t i = at; i < cells.size(); i += width) static_cast<void>(array.add(cells[i], abi));
  return array.finish();
}

}  // namespace cdcrt::bench
