// Session: the targets and sources of a manifest, opened by a command that repairs or shows, beside running processes or without any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "manifest/manifest.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::repair {

/// A sink that keeps progress.
struct Target {
  const manifest::Sink& manifest;
  plugin::Sink sink;
  plugin::Connection connection;
  std::unique_ptr<progress::Store> store;
  progress::Stored stored;  ///< as of open() or the last refresh()

  /// Reads what is kept again.
  Result<void> refresh();
};

/// What a source says about the log of a partition. Asked once per partition.
class Log {
 public:
  explicit Log(const manifest::Source& manifest) : manifest_(manifest) {}
  [[nodiscard]] const std::string& name() const { return manifest_.name; }
  /// nullopt: the source cannot be asked; problem() says why.
  std::optional<cdcrt_bounds> bounds(const std::string& topic, int32_t partition);
  /// Entries of its settings that nothing of the source meets; empty where it cannot be asked. Only sources that know their bounds.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> unmet();
  Result<int64_t> offset_at(const std::string& topic, int32_t partition, int64_t timestamp_ms);
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

 private:
  plugin::Source* source();
  const manifest::Source& manifest_;
  std::optional<plugin::Source> source_;
  std::optional<Error> problem_;
  std::map<std::pair<std::string, int32_t>, std::optional<cdcrt_bounds>> known_;
};

/// A component of the manifest and what is wrong with it.
struct Trouble {
  const plugin::Component* component = nullptr;
  Error error;
};

/// One thread. The manifest outlives it.
class Session {
 public:
  enum class Intent : uint8_t {
    kLook,   ///< changes nothing, makes nothing
    kChange  ///< the host's own tables are made, or brought forward
  };
  /// Opens every sink that keeps progress, or the one named. False: trouble() says why.
  bool open(const manifest::Manifest& manifest, Intent intent, const std::string& only_sink = {});
  /// What was opened.
  [[nodiscard]] const manifest::Manifest& manifest() const { return *manifest_; }
  [[nodiscard]] const Trouble& trouble() const { return trouble_; }
  [[nodiscard]] std::vector<Target>& targets() { return targets_; }
  /// nullptr: the manifest has no such source any more.
  Log* log(const std::string& source);
  [[nodiscard]] std::vector<Log>& logs() { return logs_; }

 private:
  const manifest::Manifest* manifest_ = nullptr;
  std::vector<Target> targets_;
  std::vector<Log> logs_;
  Trouble trouble_;
};

/// Runs `body` in a transaction; again, for some time, while others hold what it needs.
Result<void> in_transaction(Target& target, const std::function<Result<void>()>& body);

/// The table behind the name that the progress knows: split where the catalog has it. nullopt: there is none.
struct TableName {
  std::string schema, name;
  [[nodiscard]] cdcrt_table abi() const;
};
Result<std::optional<TableName>> locate(Target& target, const std::string& name);

}  // namespace cdcrt::repair
