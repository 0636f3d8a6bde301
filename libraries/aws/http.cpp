#include "aws/http.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <stdexcept>

namespace cdcrt::aws {
namespace {

constexpr std::size_t kMaxAnswerBytes = 64u << 20;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& letter : out)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

std::size_t receive_body(char* data, std::size_t size, std::size_t count, void* target) {
  auto& body = static_cast<HttpAnswer*>(target)->body;
  if (body.size() + size * count > kMaxAnswerBytes) return 0;
  body.append(data, size * count);
  return size * count;
}

std::size_t receive_header(char* data, std::size_t size, std::size_t count, void* target) {
  auto& answer = *static_cast<HttpAnswer*>(target);
  const std::string_view line(data, size * count);
  if (line.rfind("HTTP/", 0) == 0) answer.headers.clear();  // after an interim answer such as 100 comes the real one
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos)
    answer.headers.emplace_back(lower(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1))));
  return line.size();
}

int report_progress(void* interrupted, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& ask = *static_cast<const Interrupted*>(interrupted);
  return ask && ask() ? 1 : 0;
}

HttpFailure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return HttpFailure::kNone;
    case CURLE_ABORTED_BY_CALLBACK: return HttpFailure::kInterrupted;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT: return HttpFailure::kUnreachable;
    case CURLE_OPERATION_TIMEDOUT: return HttpFailure::kTimeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return HttpFailure::kCertificate;
    default: return HttpFailure::kBroken;
  }
}

/// libcurl's list of headers.
class HeaderList {
 public:
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  void add(const std::string& line) {
    curl_slist* longer = curl_slist_append(list_, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list_ = longer;
  }
  [[nodiscard]] curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

}  // namespace

std::string_view HttpAnswer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

std::optional<std::chrono::system_clock::time_point> HttpAnswer::date() const {
  const std::time_t seconds = curl_getdate(std::string(header("date")).c_str(), nullptr);
  if (seconds < 0 || seconds > UINT32_MAX) return std::nullopt;  // beyond 2106 nobody measures anything
  return std::chrono::system_clock::from_time_t(seconds);
}

class HttpConnection::Handle {
 public:
  Handle() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl_ = curl_easy_init();
    if (curl_ == nullptr) throw std::runtime_error("libcurl cannot be started");
  }
  ~Handle() { curl_easy_cleanup(curl_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  [[nodiscard]] CURL* get() const { return curl_; }
  char* error_text() { return error_text_; }

 private:
  CURL* curl_ = nullptr;
  char error_text_[CURL_ERROR_SIZE] = {};
};

HttpConnection::HttpConnection() : handle_(std::make_unique<Handle>()) {}
HttpConnection::~HttpConnection() = default;

HttpAnswer HttpConnection::send(const HttpRequest& request, const HttpSignature* signature, const Interrupted& interrupted) {
  CURL* curl = handle_->get();
  curl_easy_reset(curl);  // options only: connections and names that were looked up stay
  HttpAnswer answer;
  HeaderList headers;
  for (const auto& line : request.headers) headers.add(line);

  char* error_text = handle_->error_text();
  *error_text = '\0';
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);  // a key may hold "..", and what is signed must be sent
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, receive_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(request.stall_timeout.count() / 1000)));
  if (request.total_timeout.count() > 0) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, report_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &interrupted);
  if (request.fresh) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  if (request.link_local) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  if (!request.ca.empty()) {
    curl_blob trusted{const_cast<char*>(request.ca.data()), request.ca.size(), CURL_BLOB_COPY};
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &trusted);
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  } else if (const char* bundle = std::getenv("AWS_CA_BUNDLE"); bundle != nullptr && *bundle != '\0') {
    curl_easy_setopt(curl, CURLOPT_CAINFO, bundle);
  }

  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (request.method == "PUT" || request.method == "POST") {
    // libcurl announces a body of more than 1 MiB (Expect: 100-continue), so that a refusal comes as an answer and not as a reset in
    // the middle of it. Its own PUT would announce every one; and "Expect:", which turns that off, would be signed and not be sent.
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  } else if (request.method != "GET") {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  if (signature != nullptr) {
    const Credentials& keys = *signature->credentials;
    const std::string provider = "aws:amz:" + std::string(signature->region) + ":" + std::string(signature->service);
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, provider.c_str());
    curl_easy_setopt(curl, CURLOPT_USERNAME, keys.access_key.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, keys.secret_key.c_str());
    if (!keys.session_token.empty()) headers.add("x-amz-security-token: " + keys.session_token);
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());

  const CURLcode code = curl_easy_perform(curl);
  answer.failure = failure_of(code);
  if (answer.failure != HttpFailure::kNone) {
    answer.failure_text = *error_text != '\0' ? error_text : curl_easy_strerror(code);
    answer.body.clear();
  } else {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
  }
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  return answer;
}

}  // namespace cdcrt::aws
