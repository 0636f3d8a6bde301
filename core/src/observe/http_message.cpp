#include "observe/http_message.hpp"

#include <algorithm>
#include <cctype>

namespace cdcrt::observe {
namespace {

constexpr std::size_t kMaxTarget = 2048;
constexpr std::size_t kMaxHeaders = 64;

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 414: return "URI Too Long";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
  }
}

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character); }

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// 0, or the status that answers it.
int read_first_line(std::string_view line, Request& request) {
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return 400;
  const std::string_view method = line.substr(0, first), version = line.substr(last + 1);
  std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_token(method)) return 400;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return version.starts_with("HTTP/") ? 505 : 400;
  if (target.size() > kMaxTarget) return 414;
  // Visible ASCII alone; everything else is sent encoded.
  if (target.empty() || target.front() != '/' || !std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < 0x7F; })) {
    return 400;
  }
  const std::size_t query = std::min(target.find('?'), target.size());
  request.method = method;
  request.path = target.substr(0, query);
  if (query < target.size()) request.query = target.substr(query + 1);
  return 0;
}

int read_header(std::string_view line, Request& request) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return 400;
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (std::any_of(value.begin(), value.end(), [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7F; }))
    return 400;
  if (request.headers.size() >= kMaxHeaders) return 431;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  // Two of them, and a proxy may have read the other one.
  if ((name == "host" || name == "authorization") && request.header(name) != nullptr) return 400;
  request.headers.emplace_back(std::move(name), value);
  return 0;
}

}  // namespace

const std::string* Request::header(std::string_view lower_case_name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& each) { return each.first == lower_case_name; });
  return found == headers.end() ? nullptr : &found->second;
}

ReadRequest read_request(std::string_view text) {
  ReadRequest read;
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos || end > kMaxHead) {
    read.is_complete = text.size() > kMaxHead;
    read.status = read.is_complete ? 431 : 0;
    // Noise is answered at once: what does not begin like a request never becomes one.
    const std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty() && (!std::all_of(word.begin(), word.end(), is_token_character) || word.size() > 32)) {
      read.is_complete = true;
      read.status = 400;
    }
    return read;
  }
  read.is_complete = true;
  std::string_view head = text.substr(0, end + 2);
  bool is_first = true;
  while (!head.empty() && read.status == 0) {
    const std::size_t line = head.find("\r\n");
    read.status = is_first ? read_first_line(head.substr(0, line), read.request) : read_header(head.substr(0, line), read.request);
    is_first = false;
    head.remove_prefix(line + 2);
  }
  if (read.status != 0) return read;
  const std::string* const length = read.request.header("content-length");
  if (read.request.header("transfer-encoding") != nullptr || (length != nullptr && *length != "0")) read.status = 400;
  return read;
}

std::string to_text(const Response& response, bool head_only) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason_of(response.status)) + "\r\n";
  const auto add = [&](std::string_view name, std::string_view value) { (((text += name) += ": ") += value) += "\r\n"; };
  add("Content-Type", response.content_type);
  add("Content-Length", std::to_string(response.body.size()));
  add("Connection", "close");
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) add(name, value);
  text += "\r\n";
  if (!head_only) text += response.body;
  return text;
}

}  // namespace cdcrt::observe
