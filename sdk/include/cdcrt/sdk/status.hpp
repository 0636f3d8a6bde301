// Status: how code behind the plugin boundary says that something failed. Header-only, C++17.
//
// Authors return a Status; `guard` turns it, and any exception, into the boundary's code and cdcrt_error exactly once.
#pragma once

#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "cdcrt/abi/base.h"

namespace cdcrt::sdk {

/// Success, or an error with class, message and advice. An OK status is one null pointer.
class Status {
 public:
  Status() = default;

  static Status error(cdcrt_code code, std::string message, std::string hint = {}) {
    Status status;
    status.detail_ = std::make_unique<Detail>();
    status.detail_->code = code;
    status.detail_->message = std::move(message);
    status.detail_->hint = std::move(hint);
    return status;
  }
  static Status bad_record(std::string message, std::string hint = {}) {
    return error(CDCRT_BAD_RECORD, std::move(message), std::move(hint));
  }
  static Status retry(std::string message, std::string hint = {}) { return error(CDCRT_RETRY, std::move(message), std::move(hint)); }
  static Status unsupported(std::string message, std::string hint = {}) {
    return error(CDCRT_UNSUPPORTED, std::move(message), std::move(hint));
  }
  static Status fatal(std::string message, std::string hint = {}) { return error(CDCRT_FATAL, std::move(message), std::move(hint)); }
  /// `key`: the option at fault, dotted below the plugin's own table.
  static Status bad_config(std::string key, std::string message, std::string hint = {}) {
    Status status = error(CDCRT_BAD_CONFIG, std::move(message), std::move(hint));
    status.detail_->config_key = std::move(key);
    return status;
  }

  /// The outside system's own number and five-character SQLSTATE.
  Status&& with_native(int native, std::string_view sqlstate) && {
    detail_->native = native;
    detail_->sqlstate = std::string(sqlstate.substr(0, 5));
    return std::move(*this);
  }

  [[nodiscard]] bool ok() const { return detail_ == nullptr; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] cdcrt_code code() const { return detail_ ? detail_->code : CDCRT_OK; }
  [[nodiscard]] std::string_view message() const { return detail_ ? std::string_view(detail_->message) : std::string_view(); }
  [[nodiscard]] std::string_view hint() const { return detail_ ? std::string_view(detail_->hint) : std::string_view(); }
  [[nodiscard]] std::string_view sqlstate() const { return detail_ ? std::string_view(detail_->sqlstate) : std::string_view(); }
  [[nodiscard]] int native() const { return detail_ ? detail_->native : 0; }

  /// Hands the error over the boundary; `out` then owns it through its release function. Answers the code.
  static int32_t hand_over(Status status, cdcrt_error* out) noexcept {
    if (status.ok()) return CDCRT_OK;
    const auto code = static_cast<int32_t>(status.detail_->code);
    if (out != nullptr) {
      Detail* detail = status.detail_.release();
      out->code = code;
      out->native = detail->native;
      std::memset(out->sqlstate, 0, sizeof out->sqlstate);
      std::memcpy(out->sqlstate, detail->sqlstate.data(), detail->sqlstate.size());
      out->message = detail->message.c_str();
      out->hint = detail->hint.empty() ? nullptr : detail->hint.c_str();
      out->config_key = detail->config_key.empty() ? nullptr : detail->config_key.c_str();
      out->owner = detail;
      out->release = [](cdcrt_error* error) {
        delete static_cast<Detail*>(error->owner);
        error->owner = nullptr;
        error->release = nullptr;
      };
    }
    return code;
  }

 private:
  struct Detail {
    cdcrt_code code = CDCRT_FATAL;
    int native = 0;
    std::string sqlstate, message, hint, config_key;
  };
  std::unique_ptr<Detail> detail_;
};

/// Runs `body` (returning Status) and stops every exception at the boundary.
template <class Body>
int32_t guard(cdcrt_error* out, Body&& body) noexcept {
  try {
    return Status::hand_over(std::forward<Body>(body)(), out);
  } catch (const std::bad_alloc&) {
    if (out != nullptr) {
      out->code = CDCRT_FATAL;
      out->message = "out of memory in a plugin";
    }
    return CDCRT_FATAL;
  } catch (const std::exception& exception) {
    try {
      return Status::hand_over(Status::fatal(std::string("unexpected exception in a plugin: ") + exception.what()), out);
    } catch (...) {
      return CDCRT_FATAL;
    }
  } catch (...) {
    if (out != nullptr) {
      out->code = CDCRT_FATAL;
      out->message = "unexpected exception of unknown type in a plugin";
    }
    return CDCRT_FATAL;
  }
}

inline std::string_view view(cdcrt_string text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}
inline cdcrt_string borrow(std::string_view text) { return cdcrt_string{text.data(), text.size()}; }

}  // namespace cdcrt::sdk
