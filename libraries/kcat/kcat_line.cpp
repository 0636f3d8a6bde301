#include "kcat/kcat_line.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "kcat/json_text.hpp"

namespace cdcrt::kcat {
namespace {

constexpr size_t kMaxTopic = 1000;
constexpr size_t kSlack = 16;  // unescape writes whole blocks

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_digit_or_minus(char c) { return is_digit(c) || c == '-'; }

/// What stands between the quotes of {"base64": "..."}; nullopt: another value.
std::optional<std::string_view> base64_of(std::string_view object) {
  constexpr std::string_view kName = "\"base64\"";
  std::string_view rest = object;
  const auto take = [&](std::string_view wanted) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    if (rest.substr(0, wanted.size()) != wanted) return false;
    rest.remove_prefix(wanted.size());
    return true;
  };
  if (!take("{") || !take(kName) || !take(":") || !take("\"")) return std::nullopt;
  const std::string_view text = rest.substr(0, rest.find('"'));
  rest.remove_prefix(text.size());
  return take("\"") && take("}") && rest.empty() ? std::optional(text) : std::nullopt;
}

}  // namespace

bool KcatLine::fail(const char* at, const char* reason) {
  reason_ = reason;
  reason_at_ = at;
  return false;
}

std::string KcatLine::problem() const { return std::string(reason_) + " (column " + std::to_string(reason_at_ - begin_ + 1) + ")"; }

void KcatLine::presume(std::string_view topic, int64_t offset) {
  presumed_topic_.assign(topic);
  presumed_offset_ = offset;
}

void KcatLine::skip_space() {
  while (next_ < end_ && is_space(*next_)) ++next_;
}

bool KcatLine::locate(std::string_view text) {
  begin_ = next_ = text.data();
  end_ = begin_ + text.size();
  is_first_ = true;
  is_closed_ = false;
  seen_ = 0;
  timestamp_ = -1;
  timestamp_type_.clear();
  key_ = payload_ = headers_start_ = nullptr;
  key_text_ = payload_text_ = {};
  headers_.clear();
  batch_ = nullptr;
  skip_space();
  if (next_ == end_ || *next_ != '{') return fail(next_, "not a JSON object");
  ++next_;
  if (form_ == Form::kDeadLetter) {
    topic_ = presumed_topic_;
    partition_ = 0;
    offset_ = presumed_offset_;
  }
  if (!members(true)) return false;
  constexpr uint32_t kPlace = kTopic | kPartition | kOffset;
  if ((seen_ & kPlace) == kPlace || form_ == Form::kDeadLetter) return true;
  if ((seen_ & kTopic) == 0)
    return fail(begin_, "no member \"topic\": not a line of `kcat -C -J` (one plain value per line is layout = \"values\")");
  return fail(begin_, (seen_ & kPartition) == 0 ? "no member \"partition\"" : "no member \"offset\"");
}

bool KcatLine::members(bool stop_when_located) {
  constexpr uint32_t kPlace = kTopic | kPartition | kOffset;
  for (;;) {
    if (stop_when_located && (seen_ & kPlace) == kPlace) return true;
    skip_space();
    if (next_ == end_) return fail(next_, "the line ends inside the JSON object");
    if (*next_ == '}' && is_first_) break;
    if (!is_first_) {
      if (*next_ == '}') break;
      if (*next_ != ',') return fail(next_, "',' or '}' expected");
      ++next_;
      skip_space();
    }
    is_first_ = false;
    if (next_ == end_ || *next_ != '"') return fail(next_, "a member's name expected");
    const char* name = next_ + 1;
    const char* quote = closing_quote(name);
    if (quote == nullptr) return fail(next_, "the line ends inside a member's name");
    next_ = quote + 1;
    skip_space();
    if (next_ == end_ || *next_ != ':') return fail(next_, "':' expected");
    ++next_;
    skip_space();
    if (next_ == end_) return fail(next_, "the line ends before a member's value");
    if (!member({name, static_cast<size_t>(quote - name)})) return false;
  }
  ++next_;
  is_closed_ = true;
  skip_space();
  return next_ == end_ || fail(next_, "something follows the JSON object");
}

bool KcatLine::seen_first(Member which, const char* at) {
  if ((seen_ & which) != 0) return fail(at, "a member stands there twice");
  seen_ |= which;
  return true;
}

bool KcatLine::member(std::string_view name) {
  const char* at = name.data() - 1;
  const bool is_dead_letter = form_ == Form::kDeadLetter;
  if (name == "payload" || (is_dead_letter && name == "value")) {
    payload_ = next_;
    return seen_first(kPayload, at) && (batch_ != nullptr ? decode_text(payload_, *batch_, payload_text_) : skip_value());
  }
  if (name == "key") {
    key_ = next_;
    return seen_first(kKey, at) && (batch_ != nullptr ? decode_text(key_, *batch_, key_text_) : skip_value());
  }
  if (name == "headers") {
    headers_start_ = next_;
    return seen_first(kHeaders, at) && (batch_ != nullptr ? decode_headers(*batch_) : skip_value());
  }
  if (name == "topic") {
    if (!seen_first(kTopic, at) || !text_value("\"topic\" is not a string", topic_)) return false;
    if (topic_.empty() || topic_.size() > kMaxTopic) return fail(at, "\"topic\" must have 1 to 1000 bytes");
    return sdk::is_utf8(topic_) || fail(at, "\"topic\" is not UTF-8");
  }
  if (name == "partition") {
    if (!seen_first(kPartition, at) || !integer(partition_)) return false;
    if (is_dead_letter && partition_ < 0) partition_ = 0;  // of what has none
    return (partition_ >= 0 && partition_ <= std::numeric_limits<int32_t>::max()) || fail(at, "\"partition\" is out of range");
  }
  if (name == "offset") {
    if (!seen_first(kOffset, at) || !integer(offset_)) return false;
    if (is_dead_letter && offset_ < 0) offset_ = presumed_offset_;
    return (offset_ >= 0 && offset_ < std::numeric_limits<int64_t>::max()) || fail(at, "\"offset\" is out of range");
  }
  if ((name == "ts" || name == "tstype") && *next_ == 'n') return skip_value();
  if (is_dead_letter && (name == "timestamp" || name == "timestamp_ms") && is_digit_or_minus(*next_))
    return seen_first(kTimestamp, at) && integer(timestamp_);
  if (name == "ts") return seen_first(kTimestamp, at) && integer(timestamp_);
  if (name == "tstype") return seen_first(kTimestampType, at) && text_value("\"tstype\" is not a string", timestamp_type_);
  return skip_value();
}

bool KcatLine::skip_value() {
  nesting_.clear();
  do {
    skip_space();
    if (next_ == end_) return fail(next_, "the line ends inside a value");
    const char c = *next_;
    if (c == '"') {
      const char* quote = closing_quote(next_ + 1);
      if (quote == nullptr) return fail(next_, "a string that does not end, or a raw control character in it");
      next_ = quote + 1;
    } else if (c == '{' || c == '[') {
      nesting_.push_back(c == '{' ? '}' : ']');
      ++next_;
    } else if (c == '}' || c == ']') {
      if (nesting_.empty() || nesting_.back() != c) return fail(next_, "a bracket that was not opened");
      nesting_.pop_back();
      ++next_;
    } else if (!nesting_.empty() && (c == ',' || c == ':')) {
      ++next_;
    } else if (is_word(c)) {
      while (next_ < end_ && is_word(*next_)) ++next_;
    } else {
      return fail(next_, "a value expected");
    }
  } while (!nesting_.empty());
  return true;
}

bool KcatLine::integer(int64_t& value) {
  const char* start = next_;
  const bool negative = *next_ == '-';
  if (negative) ++next_;
  if (next_ == end_ || !is_digit(*next_)) return fail(start, "an integer expected");
  int64_t sum = 0;
  for (; next_ < end_ && is_digit(*next_); ++next_) {
    if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, *next_ - '0', &sum))
      return fail(start, "an integer beyond 64 bits");
  }
  if (next_ < end_ && is_word(*next_)) return fail(start, "an integer expected");
  value = negative ? -sum : sum;
  return true;
}

bool KcatLine::text_value(const char* what, std::string& to) {
  if (*next_ != '"') return fail(next_, what);
  const char* quote = closing_quote(next_ + 1);
  if (quote == nullptr) return fail(next_, "a string that does not end, or a raw control character in it");
  const std::string_view raw(next_ + 1, static_cast<size_t>(quote - next_ - 1));
  if (raw.find('\\') == std::string_view::npos) {
    to.assign(raw);
  } else {
    to.resize(raw.size() + 1 + kSlack);
    const auto done = unescape(next_ + 1, to.data());
    if (done.problem != nullptr) return fail(done.next, done.problem);
    to.resize(static_cast<size_t>(done.end - to.data()));
  }
  next_ = quote + 1;
  return true;
}

bool KcatLine::decode_text(const char* start, sdk::MessageBatch& batch, cdcrt_string& to) {
  next_ = start;
  if (*start == '"') {
    char* out = batch.reserve(static_cast<size_t>(end_ - start) + kSlack);
    const auto done = unescape(start + 1, out);
    if (done.problem != nullptr) return fail(done.next, done.problem);
    to = {out, static_cast<uint64_t>(done.end - out)};
    batch.keep(to.size);
    next_ = done.next;
    return true;
  }
  if (!skip_value()) return false;
  const std::string_view raw(start, static_cast<size_t>(next_ - start));
  if (const auto encoded = form_ == Form::kDeadLetter ? base64_of(raw) : std::nullopt) {
    if (const auto bytes = sdk::decode_base64(*encoded)) {
      // Empty and not null: its bytes stand somewhere.
      to = bytes->empty() ? cdcrt_string{"", 0} : sdk::borrow(batch.copy(*bytes));
      return true;
    }
  }
  to = raw == "null" ? cdcrt_string{} : sdk::borrow(batch.copy(raw));
  return true;
}

bool KcatLine::decode_headers(sdk::MessageBatch& batch) {
  const char* start = next_;
  if (*next_ != '[') {
    if (!skip_value()) return false;
    return std::string_view(start, static_cast<size_t>(next_ - start)) == "null" || fail(start, "\"headers\" is not an array");
  }
  ++next_;
  bool is_name = true;
  for (bool first = true;; first = false) {
    skip_space();
    if (next_ == end_) return fail(next_, "the line ends inside the headers");
    if (*next_ == ']') break;
    if (!first) {
      if (*next_ != ',') return fail(next_, "',' or ']' expected");
      ++next_;
      skip_space();
      if (next_ == end_) return fail(next_, "the line ends inside the headers");
    }
    if (form_ == Form::kDeadLetter && is_name && *next_ == '[') {
      if (!decode_header_pair(batch)) return false;
      continue;
    }
    if (is_name) {
      if (*next_ != '"' && form_ == Form::kStrict) return fail(next_, "a header's name expected");
      headers_.emplace_back();
    }
    if (!decode_text(next_, batch, is_name ? headers_.back().name : headers_.back().value)) return false;
    is_name = !is_name;
  }
  ++next_;
  return is_name || fail(start, "\"headers\" has a name without a value");
}

bool KcatLine::decode_header_pair(sdk::MessageBatch& batch) {
  const auto take = [&](char wanted) {
    skip_space();
    if (next_ == end_ || *next_ != wanted) return fail(next_, "a header is [name, value]");
    ++next_;
    skip_space();
    return next_ != end_ || fail(next_, "the line ends inside the headers");
  };
  headers_.emplace_back();
  return take('[') && decode_text(next_, batch, headers_.back().name) && take(',') && decode_text(next_, batch, headers_.back().value) &&
         take(']');
}

bool KcatLine::decode(sdk::MessageBatch& batch) {
  batch_ = &batch;
  const char* here = next_;
  // What was met before the place was known.
  if (key_ != nullptr && !decode_text(key_, batch, key_text_)) return false;
  if (payload_ != nullptr && !decode_text(payload_, batch, payload_text_)) return false;
  if (headers_start_ != nullptr) {
    next_ = headers_start_;
    if (!decode_headers(batch)) return false;
  }
  next_ = here;
  if (!is_closed_ && !members(false)) return false;
  if ((seen_ & kPayload) == 0) return fail(begin_, "no member \"payload\" (a deletion is written \"payload\":null)");
  cdcrt_message message{};
  message.key = key_text_;
  message.value = payload_text_;
  message.offset = offset_;
  message.timestamp_ms = timestamp_type_ == "unknown" ? -1 : timestamp_;
  batch.add(message, headers_.data(), static_cast<uint32_t>(headers_.size()));
  return true;
}

}  // namespace cdcrt::kcat
