// What RapidJSON takes to parse captured messages (a `kcat -J` line each, and the value in it) into documents, and nothing else: the
// measure beside which guard.py holds the program.
//
//   parse_bench FILE

#include <rapidjson/document.h>

#include <cstdio>
#include <fstream>
#include <string>

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: parse_bench FILE\n");
    return 2;
  }
  std::ifstream file(arguments[1], std::ios::binary);
  std::string line;
  std::size_t messages = 0;
  while (std::getline(file, line)) {
    rapidjson::Document message;
    if (message.Parse(line.data(), line.size()).HasParseError() || !message.IsObject()) return 1;
    const auto payload = message.FindMember("payload");
    if (payload == message.MemberEnd()) return 1;
    if (payload->value.IsString()) {
      rapidjson::Document value;
      if (value.Parse(payload->value.GetString(), payload->value.GetStringLength()).HasParseError()) return 1;
    }
    ++messages;
  }
  std::printf("%zu\n", messages);
  return messages == 0 ? 1 : 0;
}
