// Query: one statement of a session of libpq.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "session.hpp"

namespace cdcrt::pq {

class Query final : public sql::Query {
 public:
  Query(Session& session, std::string_view text, std::size_t parameters, sql::Planning planning);
  ~Query() override;

  void bind_text(std::size_t parameter, std::string_view text) override { bound_[parameter] = {text, false}; }
  void bind_binary(std::size_t parameter, std::string_view bytes) override { bound_[parameter] = {bytes, true}; }
  bool send(std::string_view doing) override;
  bool leave(int64_t rows, cdcrt_code failure, std::string_view doing) override;
  using sql::Query::execute;
  sdk::Status execute(sql::Moment moment, std::string_view doing, int64_t* rows) override;
  sdk::Status fetch(bool& found, std::string_view doing) override;
  sdk::Status text(std::size_t column, std::string& out, bool& null, std::string_view doing) override;
  void close() override;

 private:
  friend class Session;

  /// One way to say it: as it is, or so that it fails where another number of rows changes.
  struct Form {
    std::string text;
    std::string name;  // on the server; empty: it is sent whole
    uint32_t runs = 0;
    bool is_prepared = false;  // the server said so
  };
  /// Of a statement until it is prepared anew.
  [[nodiscard]] uint32_t most_runs() const;
  bool dispatch(Form& form, Session::Command command);
  void drop(Form& form);
  void keep(pg_result* result);

  Session& session_;
  const sql::Planning planning_;
  Form plain_, guarded_;
  struct Bound {
    std::string_view bytes;
    bool is_binary = false;
  };
  std::vector<Bound> bound_;
  std::string count_;  // the rows that `guarded_` has to change
  pg_result* result_ = nullptr;
  int row_ = -1;
  bool is_sent_ = false;     // and its answer is not there
  bool has_answer_ = false;  // that came with others, and that nobody has asked for
};

}  // namespace cdcrt::pq
