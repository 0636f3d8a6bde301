#include "repair/table_state.hpp"

#include <algorithm>
#include <charconv>

#include "cdcrt/sdk/calendar_parse.hpp"
#include "cdcrt/sdk/calendar_write.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "repair/positions.hpp"
#include "route/router.hpp"

namespace cdcrt::repair {
namespace {

using diagnostics::quote;

Error refusal(std::string message, std::string hint = {}) { return make_error(CDCRT_BAD_CONFIG, std::move(message), std::move(hint)); }

Result<void> empty_table(Target& target, const std::string& name) {
  auto found = locate(target, name);
  if (!found) return std::move(found.error());
  if (!*found) return {};  // was never made, or dropped: as empty as can be
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = CDCRT_WRITE_CLEAR;
  write.table = (*found)->abi();
  return target.connection.write(write);
}

// An emptied table cannot be given another key everywhere; it is made anew by the next run. One that the operator made stays as it is.
Result<void> drop_table(Target& target, const std::string& name, progress::StoredTable& table) {
  auto found = locate(target, name);
  if (!found) return std::move(found.error());
  const bool adopted = std::any_of(table.columns.begin(), table.columns.end(), [](const auto& column) { return column.adopted; });
  if (*found && !adopted) {
    cdcrt_change change{};
    change.kind = CDCRT_DROP_TABLE;
    if (auto dropped = target.connection.change((*found)->abi(), {change}); !dropped) return dropped;
  }
  table.key_known = table.told_keyless = false;
  table.columns.clear();
  return target.store->forget_columns(target.connection, name);
}

class Rewinding {
 public:
  Rewinding(Session& session, Target& target, const RewindRequest& request)
      : session_(session), target_(target), request_(request), router_(session.manifest()) {}

  Result<Rewound> run() {
    choose();
    if (tables_.empty() && partitions_.empty()) return nothing_to_do();
    Rewound rewound;
    auto done = in_transaction(target_, [&]() -> Result<void> {
      rewound = {};
      return carry_out(rewound);
    });
    if (!done) return std::move(done.error());
    return rewound;
  }

 private:
  [[nodiscard]] bool is_meant(const progress::PartitionKey& key) const {
    return !key.is_note() && (request_.topic.empty() || key.topic == request_.topic) &&
           (request_.source.empty() || key.source == request_.source) && (!request_.partition || key.number == *request_.partition);
  }

  void choose() {
    for (const auto& [name, table] : target_.stored.tables) {
      if (!request_.table.empty() && name != request_.table) continue;
      // Known by its name alone: it has rows that were not applied by what is kept.
      if (!request_.table.empty() && request_.empty && table.progress.empty()) tables_.push_back(name);
      for (const auto& [key, position] : table.progress) {
        if (!is_meant(key)) continue;
        if (tables_.empty() || tables_.back() != name) tables_.push_back(name);
        partitions_.insert_or_assign(key, INT64_MAX);
      }
    }
    if (request_.topic.empty()) return;
    for (const auto& [key, partition] : target_.stored.partitions) {
      if (is_meant(key)) partitions_.insert_or_assign(key, INT64_MAX);
    }
  }

  Error nothing_to_do() const {
    const std::string what = request_.table.empty() ? "topic " + quote(request_.topic) : "table " + quote(request_.table);
    return refusal(what + " has no progress" + (request_.partition ? " in partition " + std::to_string(*request_.partition) : "") +
                       (request_.source.empty() ? "" : " of source " + quote(request_.source)),
                   "cdcrt progress show lists what there is");
  }

  Result<void> carry_out(Rewound& rewound) {
    // Whoever reads these partitions now has lost them: its transactions have ended, and it claims them anew after this one. In the
    // order in which writers lock: partitions before tables.
    if (auto locked = target_.store->lock_targets(target_.connection, tables_); !locked) return locked;
    if (auto taken = target_.store->send_back(target_.connection, {partitions_, {}}); !taken) return taken;
    auto rows = target_.store->lock_tables(target_.connection, tables_, CDCRT_LOCK_UPDATE);
    if (!rows) return std::move(rows.error());
    progress::SendBack back;
    back.forget_last = request_.to.kind == Place::Kind::kEarliest;
    for (const auto& [key, any] : partitions_) {
      auto place = place_in(key);
      if (!place) return std::move(place.error());
      back.partitions[key] = *place;
      if (const int64_t first = first_of(key); first >= 0) back.firsts[key] = first;
      rewound.partitions.push_back(key);
    }
    for (auto& [name, table] : *rows) {
      event::Arena arena{1 << 10};
      if (auto read = target_.store->read_table(target_.connection, name, table, arena); !read) return read;
      if (auto sent = send_back(name, table, back, rewound); !sent) return sent;
    }
    note_others(back, rewound);
    return target_.store->send_back(target_.connection, back);
  }

  // Where the log of the partition begins; -1: cannot be asked.
  int64_t first_of(const progress::PartitionKey& key) {
    Log* log = session_.log(key.source);
    const auto bounds = log == nullptr ? std::nullopt : log->bounds(key.topic, key.number);
    return bounds ? bounds->first : -1;
  }

  // The partition's low watermark is moved over what the log has lost: it tells of that no more.
  void note_others(const progress::SendBack& back, Rewound& rewound) const {
    for (const auto& [key, first] : back.firsts) {
      const auto kept = target_.stored.partitions.find(key);
      if (kept == target_.stored.partitions.end() || kept->second.next_offset >= first ||
          (kept->second.next_offset == 0 && !kept->second.exact))
        continue;
      for (const auto& [name, table] : target_.stored.tables) {
        const auto position = table.progress.find(key);
        if (position == table.progress.end() || position->second.next_offset >= first || back.tables.contains(name)) continue;
        if (table.state == progress::TableState::kSkipped) continue;
        rewound.notes.push_back("table " + quote(name) + " may lack rows too: messages " + std::to_string(kept->second.next_offset) +
                                " to " + std::to_string(first - 1) + " of " + key.name() +
                                " were deleted before every table had applied them");
      }
    }
  }

  Result<void> send_back(const std::string& name, progress::StoredTable& table, progress::SendBack& back, Rewound& rewound) {
    const bool keyless = !table.columns.empty() && !has_key(table);
    if (keyless && !request_.empty) {
      return refusal("table " + quote(name) + " has no key: rows that are read again would be inserted a second time",
                     "give --empty: the table is emptied in the same transaction and read again from " +
                         std::string(request_.to.kind == Place::Kind::kEarliest ? "the beginning of the log" : "there"));
    }
    for (const auto& [key, position] : table.progress) {
      const auto place = back.partitions.find(key);
      if (place == back.partitions.end()) {
        if (!request_.empty) continue;
        return refusal("table " + quote(name) + " has rows of " + key.name() + " too, which would be gone: --empty empties the whole table",
                       "leave --partition, --topic or --source out, so that all of its partitions are read again");
      }
      // What the log has no more lies behind every place that can be asked for.
      const auto first = back.firsts.find(key);
      if (place->second > std::max(position.next_offset, first == back.firsts.end() ? 0 : first->second)) {
        return refusal(key.name() + ": offset " + std::to_string(place->second) + " lies ahead of table " + quote(name) +
                           ", which has applied it up to " + std::to_string(position.next_offset),
                       "a rewind only goes back; to leave messages out: cdcrt table skip, then resume --from-now");
      }
      // A table that begins anew has no rows yet whose order would have to be known.
      back.tables[name][key] = request_.to.kind == Place::Kind::kEarliest ? 0 : place->second;
      rewound.steps.push_back({name, key, position.next_offset, place->second});
    }
    // Read again from an empty table on, nothing of what stopped it is left.
    const bool was_skipped = table.state == progress::TableState::kSkipped ||
                             (request_.empty && table.state == progress::TableState::kPaused && progress::is_own_reason(table.reason));
    if (request_.empty) {
      if (auto emptied = empty_table(target_, name); !emptied) return emptied;
      if (has_another_key(table)) {
        if (auto dropped = drop_table(target_, name, table); !dropped) return dropped;
        rewound.notes.push_back("table " + quote(name) + " is made anew with the primary_key of its route by the next run");
      }
      if (auto forgotten = target_.store->forget_waiting(target_.connection, name, table); !forgotten) return forgotten;
      table.accepts_loss = true;
      rewound.emptied.push_back(name);
    }
    if (was_skipped) {
      table.state = progress::TableState::kActive;
      table.reason.clear();
      rewound.activated.push_back(name);
    }
    if (table.state == progress::TableState::kPaused) {
      rewound.notes.push_back("table " + quote(name) + " stays paused: cdcrt table resume lets it go on");
    }
    ++table.version;
    return target_.store->save_table(target_.connection, name, table);
  }

  // The route's primary_key is not the one that the table was made with.
  bool has_another_key(const progress::StoredTable& table) {
    if (table.columns.empty()) return false;
    std::vector<std::string> parts(1);
    for (const char c : table.source_table) {
      if (c == '.') {
        parts.emplace_back();
      } else {
        parts.back().push_back(c);
      }
    }
    const auto part = [&](std::size_t from_end) {
      return parts.size() > from_end ? std::string_view(parts[parts.size() - 1 - from_end]) : std::string_view();
    };
    const auto route = router_.route({{}, {}, part(2), part(1), part(0), {}});
    if (!route || *route == nullptr || (*route)->mode == route::Mode::kAppend) return false;
    const auto& own = (*route)->primary_key.empty() ? (*route)->fallback_key : (*route)->primary_key;
    if (own.empty()) return false;
    std::vector<std::string> key(own.size());
    std::size_t count = 0;
    for (const auto& column : table.columns) {
      if (column.key_ordinal == 0) continue;
      ++count;
      if (column.key_ordinal > key.size()) continue;
      const std::string& named = (*route)->primary_key[column.key_ordinal - 1];
      const bool had_name =
          std::any_of(column.former_names.begin(), column.former_names.end(), [&](const auto& former) { return former.name == named; });
      key[column.key_ordinal - 1] = had_name ? named : column.source_name;
    }
    return count != key.size() || key != own;
  }

  Result<int64_t> place_in(const progress::PartitionKey& key) {
    // Where the beginning cannot be asked, it is what the next start finds: 0 stands for it.
    if (request_.to.kind == Place::Kind::kEarliest) return std::max<int64_t>(0, first_of(key));
    Log* log = session_.log(key.source);
    if (log == nullptr) return refusal("the manifest has no source " + quote(key.source) + ", which " + key.name() + " was read from");
    if (request_.to.kind == Place::Kind::kTime) {
      auto offset = log->offset_at(key.topic, key.number, request_.to.value);
      if (offset) return *offset;
      if (offset.error().code == CDCRT_UNSUPPORTED) {
        return refusal("source " + quote(key.source) + " cannot find a message by its time: " + offset.error().message,
                       "give an offset, or earliest");
      }
      return std::move(offset.error());
    }
    const auto bounds = log->bounds(key.topic, key.number);
    if (bounds && request_.to.value < bounds->first) {
      return refusal(key.name() + ": offset " + std::to_string(request_.to.value) + " is not there any more, the log begins at " +
                         std::to_string(bounds->first),
                     "--to earliest reads from there");
    }
    if (bounds && request_.to.value > bounds->end) {
      return refusal(key.name() + ": offset " + std::to_string(request_.to.value) + " is not there yet, the log ends at " +
                     std::to_string(bounds->end));
    }
    return request_.to.value;
  }

  Session& session_;
  Target& target_;
  const RewindRequest& request_;
  route::Router router_;
  std::vector<std::string> tables_;
  std::map<progress::PartitionKey, int64_t> partitions_;
};

template <class Known>
Result<std::vector<Target*>> targets_with(Session& session, const std::string& kind, const std::string& name, Known&& known) {
  std::vector<Target*> found;
  std::vector<std::string> names;
  for (Target& target : session.targets()) {
    const std::vector<std::string> own = known(target);
    if (std::find(own.begin(), own.end(), name) != own.end()) found.push_back(&target);
    names.insert(names.end(), own.begin(), own.end());
  }
  if (!found.empty()) return found;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return refusal("the pipeline has no " + kind + " " + quote(name) + (names.empty() ? ": nothing was applied yet" : ""),
                 diagnostics::did_you_mean(name, names));
}

}  // namespace

Result<Place> parse_place(const std::string& text) {
  if (text == "earliest") return Place{};
  Place place;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), place.value);
  if (error == std::errc() && end == text.data() + text.size() && place.value >= 0) {
    place.kind = Place::Kind::kOffset;
    return place;
  }
  if (const auto microseconds = sdk::parse_timestamptz(text)) {
    // Up to the next whole millisecond: logs have no finer times.
    place.kind = Place::Kind::kTime;
    place.value = *microseconds / 1000 + (*microseconds % 1000 > 0 ? 1 : 0);
    return place;
  }
  const bool lacks_zone = sdk::parse_timestamp(text).has_value();
  return refusal(lacks_zone ? "the time has no zone: " + quote(text) : quote(text) + " is neither earliest, nor a time, nor an offset",
                 "a time is written as 2026-01-31T12:00:00Z or 2026-01-31T12:00:00+01:00");
}

Result<Rewound> rewind(Session& session, Target& target, const RewindRequest& request) { return Rewinding(session, target, request).run(); }

Result<progress::TableState> set_state(Target& target, const StateRequest& request) {
  using progress::TableState;
  TableState before = TableState::kActive;
  progress::SendBack here;
  for (const auto& [key, position] : target.stored.tables[request.table].progress) here.partitions[key] = INT64_MAX;
  auto done = in_transaction(target, [&]() -> Result<void> {
    if (auto locked = target.store->lock_targets(target.connection, {request.table}); !locked) return locked;
    if (request.from_now) {
      if (auto taken = target.store->send_back(target.connection, here); !taken) return taken;
    }
    auto rows = target.store->lock_tables(target.connection, {request.table}, CDCRT_LOCK_UPDATE);
    if (!rows) return std::move(rows.error());
    const auto row = rows->find(request.table);
    if (row == rows->end()) return refusal("table " + quote(request.table) + " has no row in the progress any more");
    progress::StoredTable& table = row->second;
    before = table.state;
    if (before == TableState::kSkipped && request.state != TableState::kSkipped && !request.from_now) {
      return refusal("table " + quote(request.table) + " was skipped" + (table.reason.empty() ? "" : " (" + table.reason + ")") +
                         ": the rows that passed meanwhile are not in it",
                     "cdcrt progress rewind --table reads them again (and makes it active); resume --from-now gives them up");
    }
    if (request.from_now) {
      if (before != TableState::kSkipped) {
        return refusal(
            "table " + quote(request.table) + " is " + std::string(progress::to_text(before)) + ", not skipped: nothing passed it",
            "resume without --from-now");
      }
      auto kept = target.store->read_watermarks(target.connection);
      if (!kept) return std::move(kept.error());
      progress::SendBack now;
      for (const auto& [key, any] : here.partitions) {
        now.partitions[key] = INT64_MAX;
        now.tables[request.table][key] = (*kept)[key].next_offset;
      }
      if (auto sent = target.store->send_back(target.connection, now); !sent) return sent;
    }
    // What comes later is to stand over what is written.
    if ((table.by_source || table.remembers_keys) && before == TableState::kPaused && request.state == TableState::kActive &&
        progress::is_own_reason(table.reason)) {
      if (auto forgotten = target.store->forget_row_orders(target.connection, request.table); !forgotten) return forgotten;
    }
    table.state = request.state;
    table.accepts_loss = request.state == TableState::kActive;
    table.reason = request.state == TableState::kActive ? std::string() : request.reason;
    ++table.version;
    return target.store->save_table(target.connection, request.table, table);
  });
  if (!done) return std::move(done.error());
  return before;
}

Result<std::vector<Target*>> targets_with_table(Session& session, const std::string& table) {
  return targets_with(session, "table", table, [](const Target& target) {
    std::vector<std::string> names;
    for (const auto& [name, kept] : target.stored.tables) names.push_back(name);
    return names;
  });
}

Result<std::vector<Target*>> targets_with_topic(Session& session, const std::string& topic) {
  return targets_with(session, "topic", topic, [](const Target& target) {
    std::vector<std::string> names;
    for (const auto& [key, kept] : target.stored.partitions) {
      if (!key.is_note()) names.push_back(key.topic);
    }
    return names;
  });
}

}  // namespace cdcrt::repair
