#include "sql/login.hpp"

#include <utility>

#include "sql/json_reader.hpp"

namespace cdcrt::sql {
namespace {

using sdk::Status;

/// Calls `take(name, value)` for each member of a flat object; numbers as they stand, null and what is nested as an empty text.
template <typename Take>
bool read_members(std::string_view json, const Take& take) {
  JsonReader reader(json);
  if (!reader.take('{')) return false;
  if (reader.take('}')) return reader.ended();
  do {
    std::string name, value;
    if (!reader.text(name) || !reader.take(':')) return false;
    const char next = reader.next();
    if (next == '"') {
      if (!reader.text(value)) return false;
    } else if (next == '{' || next == '[') {
      if (reader.nested().empty()) return false;
    } else {
      value = reader.word();
      if (value.empty()) return false;
      if (value == "null") value.clear();
    }
    take(name, std::move(value));
  } while (reader.take(','));
  return reader.take('}') && reader.ended();
}

}  // namespace

Status read_login(std::string_view json, Login& out) {
  constexpr const char* kForm =
      R"(it is a JSON object {"username": ..., "password": ...}, with host, port and dbname where the connection does not say them, )"
      "as ${aws-sm:ID} and ${redshift-iam:CLUSTER/DATABASE} are";
  Login found;
  const std::pair<const char*, std::string*> members[] = {{"username", &found.username},
                                                          {"password", &found.password},
                                                          {"host", &found.host},
                                                          {"port", &found.port},
                                                          {"dbname", &found.dbname}};
  const bool is_read = read_members(json, [&](const std::string& name, std::string value) {
    for (const auto& [known, into] : members) {
      if (name == known && into->empty()) *into = std::move(value);
    }
  });
  if (!is_read) return Status::bad_config("login", "the login is no JSON object", kForm);
  for (const auto& [name, value] : members) {
    if (value->find('\0') != std::string::npos)
      return Status::bad_config("login", std::string("the login's ") + name + " holds a NUL character");
  }
  if (found.username.empty() || found.password.empty())
    return Status::bad_config("login", std::string("the login has no ") + (found.username.empty() ? "username" : "password"), kForm);
  out = std::move(found);
  return {};
}

Status login_said_twice(const std::string& key) {
  return Status::bad_config("connection." + key, "the connection names a user or password, and so does the login", "keep one of them");
}

}  // namespace cdcrt::sql
