// Session: one connection of libpq in pipeline mode. Statements that need no answer of their own travel with the next that does.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "connection_settings.hpp"
#include "sql/session.hpp"

struct pg_conn;
struct pg_result;

namespace cdcrt::pq {

class Query;

/// One thread.
class Session final : public sql::Session {
 public:
  /// `settings` must outlive it.
  Session(const ConnectionSettings& settings, std::chrono::microseconds connect_timeout)
      : settings_(settings), connect_timeout_(connect_timeout) {}
  ~Session() override;

  /// AUTH, UNREACHABLE, BAD_CONFIG or RETRY when it fails.
  sdk::Status connect();
  sdk::Status execute(std::string_view text, sql::Moment moment, std::string_view doing) override;
  sdk::Status begin(std::string_view text, std::string_view doing) override;
  std::unique_ptr<sql::Query> query(std::string_view text, std::size_t parameters, sql::Planning planning, std::string_view doing,
                                    sdk::Status& status) override;
  [[nodiscard]] bool keeps_statements() const override { return true; }
  [[nodiscard]] bool takes_binary() const override;
  [[nodiscard]] bool takes_copies() const override { return true; }
  sdk::Status settle(std::string_view doing) override { return commands_.empty() ? sdk::Status() : finish(doing); }
  sdk::Status copy(std::string_view text, const std::function<sdk::Status(std::string&)>& next, std::string_view doing, int64_t& rows,
                   std::string& told) override;
  sdk::Status reconnect() override;
  void disconnect() override;
  [[nodiscard]] int server_version() const;

 private:
  friend class Query;

  /// A command on its way, whose answer has not come.
  struct Command {
    enum class Kind : uint8_t { kText, kPrepare, kQuery, kLeft };
    Kind kind = Kind::kText;
    sql::Moment moment = sql::Moment::kStatement;
    Query* query = nullptr;  // of kPrepare and kQuery
    std::string doing;
    bool is_guarded = false;        // of kPrepare: which form
    cdcrt_code left_as = CDCRT_OK;  // what its failure is told as; OK: somebody waits for it, and is told what it was
  };

  sdk::Status send_text(std::string_view text, sql::Moment moment, std::string_view doing);
  /// Waits for the answers to everything that is on its way. The first error; each Query knows its own.
  sdk::Status finish(std::string_view doing);
  /// `moment`: of the last command that was sent along: where that is COMMIT, an error of a lost connection does not say that it did not
  /// happen.
  sdk::Status answered(const Command& command, pg_result* result, sql::Moment moment);
  sdk::Status lost(sql::Moment moment, std::string_view doing) const;
  sdk::Status error(const pg_result* result, sql::Moment moment, std::string_view doing) const;
  void forget(const Query* query);
  sdk::Status feed(const std::function<sdk::Status(std::string&)>& next, std::string_view doing);

  const ConnectionSettings& settings_;
  const std::chrono::microseconds connect_timeout_;
  pg_conn* connection_ = nullptr;
  std::vector<Command> commands_;
  std::vector<std::string> dropped_;  // names of prepared statements that nobody needs any more
  std::size_t named_bytes_ = 0;       // texts of the statements that the server keeps
  uint64_t names_ = 0;                // given so far
  bool uses_names_ = true;            // false: somebody between us and the server does not keep them
  std::size_t left_bytes_ = 0;        // of what is left to be sent along
  bool leaves_ = false;  // after a COMMIT: statements may travel with others. Before it, and after what was left failed, each is waited
                         // for, so that the true reason appears
};

}  // namespace cdcrt::pq
