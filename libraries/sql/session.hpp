// Session and Query: one connection to a database and its statements, whatever driver carries them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cdcrt/sdk/status.hpp"
#include "sql/classification.hpp"

namespace cdcrt::sql {

/// A statement with parameters. What is bound is borrowed until the next execute() returns. One thread; dies before its session.
class Query {
 public:
  Query() = default;
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  virtual ~Query() = default;

  /// Parameters are numbered from 0. Bind every one before each execute.
  virtual void bind_text(std::size_t parameter, std::string_view text) = 0;
  /// The same in the server's binary form of the parameter's type. Only where the session takes_binary().
  virtual void bind_binary(std::size_t /*parameter*/, std::string_view /*bytes*/) {}
  /// Sends it, for an execute() that follows when others are sent too: all answers come together then, and what is bound is borrowed no
  /// more. False: that cannot be done, and nothing was.
  virtual bool send(std::string_view /*doing*/) { return false; }
  /// Leaves the statement to be sent along with what is executed next, which fails if it fails or changes another number of rows than
  /// `rows` (kAnyRows: whatever their number). Unless it was a lock or the connection, that is told as `failure`, and until the next COMMIT
  /// nothing can be left. False: that cannot be done, and nothing was.
  virtual bool leave(int64_t /*rows*/, cdcrt_code /*failure*/, std::string_view /*doing*/) { return false; }
  static constexpr int64_t kAnyRows = -1;
  /// `rows` receives how many rows were changed.
  virtual sdk::Status execute(Moment moment, std::string_view doing, int64_t* rows) = 0;
  sdk::Status execute(Moment moment, std::string_view doing) { return execute(moment, doing, nullptr); }
  /// `found` is false after the last row.
  virtual sdk::Status fetch(bool& found, std::string_view doing) = 0;
  /// Columns are numbered from 0 and read in order, once each. A value of any length, whole.
  virtual sdk::Status text(std::size_t column, std::string& out, bool& null, std::string_view doing) = 0;
  virtual void close() = 0;
};

/// How the server may plan a statement: anew for what is bound; once, where no number of rows would make another plan better; or once in a
/// while, where few rows are asked for and planning would be most of the work.
enum class Planning : uint8_t { kEachTime, kOnce, kForAWhile };

/// One thread.
class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  /// Executes text without parameters. `doing` starts the message when it fails.
  virtual sdk::Status execute(std::string_view text, Moment moment, std::string_view doing) = 0;
  /// Begins a transaction, at once or along with what is executed next.
  virtual sdk::Status begin(std::string_view text, std::string_view doing) { return execute(text, Moment::kStatement, doing); }
  /// A statement of PostgreSQL, with a `?` for each parameter; nullptr with `status` when that failed.
  virtual std::unique_ptr<Query> query(std::string_view text, std::size_t parameters, Planning planning, std::string_view doing,
                                       sdk::Status& status) = 0;
  /// Whether the server keeps a statement, and may keep its plan, from one execute() to the next.
  [[nodiscard]] virtual bool keeps_statements() const { return false; }
  /// Whether values may be bound in the server's binary form.
  [[nodiscard]] virtual bool takes_binary() const { return false; }
  /// Whether copy() works.
  [[nodiscard]] virtual bool takes_copies() const { return false; }
  /// Waits for what was left to be sent along, and tells whether it failed.
  virtual sdk::Status settle(std::string_view /*doing*/) { return {}; }
  /// Executes text with one COPY ... FROM STDIN, and feeds it: `next` fills its argument, which comes in empty, with what follows, and
  /// leaves it empty at the end. Where `next` fails nothing of it is copied, and its error is the answer. `rows` receives how many rows the
  /// server took, `told` the first value that a SELECT behind it gave.
  virtual sdk::Status copy(std::string_view /*text*/, const std::function<sdk::Status(std::string&)>& /*next*/, std::string_view doing,
                           int64_t& /*rows*/, std::string& /*told*/) {
    return sdk::Status::unsupported(std::string(doing) + ": this driver copies nothing");
  }
  /// Connects anew: buffers that grew for one large value are gone. Nothing of the session is left; no statement may be.
  virtual sdk::Status reconnect() = 0;
  /// Every later statement fails as it does where the connection is lost.
  virtual void disconnect() = 0;
};

}  // namespace cdcrt::sql
