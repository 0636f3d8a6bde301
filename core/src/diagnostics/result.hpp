// Result<T>: expected failures as values inside the host.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "cdcrt/abi/base.h"

namespace cdcrt {

/// Why something failed. `code` is the class that decides what the host does (see cdcrt_code).
struct Error {
  cdcrt_code code = CDCRT_FATAL;
  std::string message;     ///< what, where, why; values last; never a secret
  std::string hint;        ///< what to do; may be empty
  std::string config_key;  ///< option at fault, for BAD_CONFIG
  std::string sqlstate;
  int native = 0;
};

inline Error make_error(cdcrt_code code, std::string message, std::string hint = {}) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  error.hint = std::move(hint);
  return error;
}

/// Message and advice in one line.
inline std::string explain(const Error& error) { return error.hint.empty() ? error.message : error.message + "; " + error.hint; }

/// A value or an Error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  Error& error() { return std::get<1>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

/// Success or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  Error& error() { return *error_; }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace cdcrt
