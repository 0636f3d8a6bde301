#include "cli/status_client.hpp"

#include <fstream>
#include <sstream>
#include <utility>

#include "aws/http.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::cli {
namespace {

Error failed(const std::string& url, const aws::HttpAnswer& answer) {
  if (answer.failure == aws::HttpFailure::kCertificate) {
    return make_error(
        CDCRT_UNREACHABLE, url + " has a certificate that is not trusted here: " + answer.failure_text,
        "name the file of its authority with --certificate, or ask by a name that the certificate has: --url https://NAME:PORT");
  }
  return make_error(CDCRT_UNREACHABLE, "nobody answers at " + url + ": " + answer.failure_text,
                    "is the pipeline running, with `http` in [runtime]? Its log names the address");
}

}  // namespace

Result<std::string> read_whole(const std::string& path, const std::string& what) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return make_error(CDCRT_BAD_CONFIG, what + " " + diagnostics::quote(path) + " cannot be read");
  return text.str();
}

StatusClient::StatusClient(StatusPlace place) : place_(std::move(place)), connection_(std::make_unique<aws::HttpConnection>()) {}
StatusClient::~StatusClient() = default;

Result<StatusFacts> StatusClient::ask(const std::string& query) {
  aws::HttpRequest request;
  std::string trusted;
  request.url = place_.url + "/status" + (query.empty() ? "" : "?" + query);
  if (!place_.token.empty()) request.headers.push_back("Authorization: Bearer " + place_.token);
  if (!place_.certificate.empty()) {
    // Read each time: it may be renewed while somebody looks.
    auto read = read_whole(place_.certificate, "the file of certificates");
    if (!read) return std::move(read.error());
    trusted = std::move(*read);
    request.ca = trusted;
  }
  request.connect_timeout = std::chrono::seconds(3);
  request.total_timeout = std::chrono::seconds(15);
  request.link_local = true;
  const aws::HttpAnswer answer = connection_->send(request, nullptr, [] { return false; });
  if (answer.failure != aws::HttpFailure::kNone) return failed(place_.url, answer);
  if (answer.status == 401) {
    return make_error(CDCRT_BAD_CONFIG, place_.url + (place_.token.empty() ? " asks for a token" : " refuses the token"),
                      "give the manifest that has `http_token`, or --token-file FILE");
  }
  if (answer.status != 200) {
    return make_error(CDCRT_BAD_RECORD, place_.url + " answers " + std::to_string(answer.status) + " instead of a status",
                      "give the address that the manifest's `http` names");
  }
  return read_status(answer.body);
}

}  // namespace cdcrt::cli
