#include "aws/memory_s3.hpp"

#include "aws/signature.hpp"

namespace cdcrt::test {
namespace {

std::string decode(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string replace_all(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) text.replace(at, what.size(), with);
  return text;
}
std::string to_xml(const std::string& text) { return replace_all(replace_all(text, "&", "&amp;"), "<", "&lt;"); }
std::string from_xml(const std::string& text) {
  return replace_all(replace_all(replace_all(text, "&lt;", "<"), "&gt;", ">"), "&amp;", "&");
}

std::string action_of(const ServerRequest& request, const std::string& key, const std::map<std::string, std::string>& query) {
  const auto has = [&](const char* name) { return query.count(name) != 0; };
  std::string what = key.empty() ? "bucket" : "object";
  if (has("uploads")) what = request.method == "POST" ? "start" : "uploads";
  if (has("uploadId")) what = request.method == "POST" ? "complete" : request.method == "PUT" ? "part" : "upload";
  if (has("delete")) what = "delete";
  if (has("list-type")) what = "list";
  return request.method + " " + what;
}

}  // namespace

MemoryS3::MemoryS3() : server_([this](const ServerRequest& request) { return answer(request); }) {}

void MemoryS3::plan(std::string action, ServerResponse response, bool done_anyway) {
  const std::lock_guard lock(mutex_);
  planned_.push_back({std::move(action), std::move(response), done_anyway});
}

ServerResponse MemoryS3::error(int status, const std::string& code, const std::string& message) {
  ServerResponse response;
  response.status = status;
  response.body =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code + "</Code><Message>" + to_xml(message) + "</Message></Error>";
  return response;
}

std::map<std::string, std::string> MemoryS3::objects() {
  const std::lock_guard lock(mutex_);
  return objects_;
}
std::size_t MemoryS3::uploads() {
  const std::lock_guard lock(mutex_);
  return uploads_.size();
}
std::vector<std::string> MemoryS3::actions() {
  const std::lock_guard lock(mutex_);
  return actions_;
}
std::vector<ServerRequest> MemoryS3::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}
std::string MemoryS3::complaints() {
  const std::lock_guard lock(mutex_);
  return complaints_;
}

ServerResponse MemoryS3::answer(const ServerRequest& request) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> query;
  for (std::size_t begin = 0; const std::size_t size = request.query().size();) {
    if (begin >= size) break;
    std::size_t end = request.query().find('&', begin);
    if (end == std::string::npos) end = size;
    const std::string pair = request.query().substr(begin, end - begin);
    query[decode(pair.substr(0, pair.find('=')))] = decode(pair.substr(pair.find('=') + 1));
    begin = end + 1;
  }
  // Path style, or the bucket as the first part of the host's name.
  std::string key = decode(request.path()).substr(1);
  if (request.header("host").rfind(std::string(kBucket) + ".", 0) != 0) {
    const auto slash = key.find('/');
    if (key.substr(0, slash) != kBucket) return error(404, "NoSuchBucket", "The specified bucket does not exist");
    key = slash == std::string::npos ? std::string() : key.substr(slash + 1);
  }
  const std::string action = action_of(request, key, query);
  actions_.push_back(action);
  requests_.push_back(request);
  if (const std::string wrong = why_signature_is_wrong(request, kSecretKey); !wrong.empty()) {
    complaints_ += wrong + "\n";
    return error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match");
  }
  for (auto planned = planned_.begin(); planned != planned_.end(); ++planned) {
    if (!planned->action.empty() && planned->action != action) continue;
    const Planned chosen = *planned;
    planned_.erase(planned);
    if (chosen.done_anyway) (void)work(action, request, key, query);
    return chosen.response;
  }
  return work(action, request, key, query);
}

ServerResponse MemoryS3::work(const std::string& action, const ServerRequest& request, const std::string& key,
                              std::map<std::string, std::string>& query) {
  ServerResponse response;
  if (action == "PUT object") {
    objects_[key] = request.body;
    response.headers["ETag"] = "\"" + sha256_hex(request.body).substr(0, 32) + "\"";
  } else if (action == "POST start") {
    const std::string id = "upload/" + std::to_string(next_upload_++);
    uploads_[id].key = key;
    response.body = "<InitiateMultipartUploadResult><Bucket>stage</Bucket><Key>" + to_xml(key) + "</Key><UploadId>" + id +
                    "</UploadId></InitiateMultipartUploadResult>";
  } else if (action == "PUT part" || action == "POST complete" || action == "DELETE upload") {
    const auto upload = uploads_.find(query["uploadId"]);
    if (upload == uploads_.end()) return error(404, "NoSuchUpload");
    if (action == "PUT part") {
      upload->second.parts[std::stoi(query["partNumber"])] = request.body;
      response.headers["ETag"] = "\"part" + query["partNumber"] + "\"";
    } else {
      if (action == "POST complete") {
        std::string whole;
        for (const auto& [number, bytes] : upload->second.parts) {
          if (request.body.find("<PartNumber>" + std::to_string(number) + "</PartNumber>") == std::string::npos)
            return error(400, "InvalidPart");
          if (number != upload->second.parts.rbegin()->first && bytes.size() < (5u << 20)) return error(400, "EntityTooSmall");
          whole += bytes;
        }
        objects_[key] = whole;
        response.body = "<CompleteMultipartUploadResult/>";
      } else {
        response.status = 204;
      }
      uploads_.erase(upload);
    }
  } else if (action == "HEAD object" || action == "GET object") {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return error(404, "NoSuchKey");
    response.body = found->second;
  } else if (action == "GET list") {
    return list(query);
  } else if (action == "GET uploads") {
    response.body = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>";
    for (const auto& [id, upload] : uploads_)
      if (upload.key.rfind(query["prefix"], 0) == 0)
        response.body += "<Upload><Key>" + to_xml(upload.key) + "</Key><UploadId>" + id + "</UploadId></Upload>";
    response.body += "</ListMultipartUploadsResult>";
  } else if (action == "POST delete") {
    // S3 wants one of the two, and checks what it gets.
    if (request.header("content-md5").empty() && request.header("x-amz-checksum-sha256").empty())
      return error(400, "InvalidRequest", "Missing required header for this request: Content-MD5");
    if (!request.header("x-amz-checksum-sha256").empty() && request.header("x-amz-checksum-sha256") != sha256_base64(request.body))
      return error(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.");
    for (std::size_t at = 0; (at = request.body.find("<Key>", at)) != std::string::npos; ++at) {
      const auto end = request.body.find("</Key>", at);
      objects_.erase(from_xml(request.body.substr(at + 5, end - at - 5)));
    }
    response.body = "<DeleteResult/>";
  } else {
    return error(405, "MethodNotAllowed");
  }
  return response;
}

ServerResponse MemoryS3::list(const std::map<std::string, std::string>& query) {
  const auto text = [&](const char* name) { return query.count(name) == 0 ? std::string() : query.at(name); };
  ServerResponse response;
  std::string contents, last;
  std::size_t count = 0;
  bool more = false;
  for (const auto& [key, body] : objects_) {
    if (key.rfind(text("prefix"), 0) != 0 || key <= text("continuation-token")) continue;
    if (count++ == page) {
      more = true;
      break;
    }
    contents += "<Contents><Key>" + to_xml(key) + "</Key><Size>" + std::to_string(body.size()) + "</Size></Contents>";
    last = key;
  }
  response.body = "<ListBucketResult><IsTruncated>" + std::string(more ? "true" : "false") + "</IsTruncated>" +
                  (more ? "<NextContinuationToken>" + to_xml(last) + "</NextContinuationToken>" : std::string()) + contents +
                  "</ListBucketResult>";
  return response;
}

}  // namespace cdcrt::test
