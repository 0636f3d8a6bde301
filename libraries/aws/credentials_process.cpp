#include "aws/credentials_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rapidjson/document.h>

#include <thread>

#include "aws/role.hpp"

extern char** environ;

namespace cdcrt::aws {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kCommandTimeout{60000};
constexpr std::size_t kMaxOutputBytes = 256u << 10;
constexpr std::size_t kMaxWords = 300;

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) ends_[0] = ends_[1] = -1;
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  [[nodiscard]] bool ok() const { return ends_[0] >= 0; }
  [[nodiscard]] int end(int which) const { return ends_[which]; }
  void close_end(int which) {
    if (ends_[which] >= 0) ::close(ends_[which]);
    ends_[which] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
};

/// A group of its own, so that what the shell starts can be ended with it; signals as a program expects them, whatever this thread blocks.
bool spawn(const std::string& command, const Pipe& output, const Pipe& words, pid_t& child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (posix_spawn_file_actions_init(&actions) != 0) return false;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.end(1), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, words.end(1), STDERR_FILENO);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string text = command, shell = "sh", option = "-c";
  char* arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  const int failed = posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return failed == 0;
}

/// False: the end of the stream.
bool take(int from, std::string& to, std::size_t limit) {
  char block[4096];
  const ssize_t count = ::read(from, block, sizeof block);
  if (count < 0) return errno == EINTR;
  if (count == 0) return false;
  to.append(block, static_cast<std::size_t>(count));
  if (to.size() > limit) to.erase(0, to.size() - limit);  // of words the last count; keys are far shorter
  return true;
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  text.erase(0, text.rfind('\n') + 1);
  for (char& letter : text)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F) letter = ' ';
  if (text.size() > kMaxWords) text.resize(kMaxWords);
  return text;
}

std::string member(const rapidjson::Document& document, const char* name) {
  const auto found = document.FindMember(name);
  if (found == document.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

class ProcessKeys final : public CredentialsSource {
 public:
  ProcessKeys(std::string shown, std::string command, Interrupted interrupted)
      : shown_(std::move(shown)), command_(std::move(command)), interrupted_(std::move(interrupted)) {}
  [[nodiscard]] std::string name() const override { return "credential_process of " + shown_; }

  sdk::Status find(Credentials& out, std::string& why_not) override {
    why_not.clear();
    constexpr const char* kForm =
        R"(it must print {"Version": 1, "AccessKeyId": ..., "SecretAccessKey": ..., "SessionToken": ..., "Expiration": ...})";
    ProcessOutput output;
    if (!run_command(command_, kCommandTimeout, interrupted_, output))
      return sdk::Status::error(CDCRT_AUTH, name() + " cannot be started", "check the command in the profile");
    if (output.interrupted) return sdk::Status::retry(name() + " was interrupted");
    if (output.timed_out)
      return sdk::Status::error(CDCRT_AUTH, name() + " did not end within a minute", "does it wait for an answer of yours? Run it by hand");
    if (output.exit_code != 0) {
      const std::string words = output.last_words.empty() ? std::string() : ": " + without_keys(output.last_words, output.text);
      return sdk::Status::error(CDCRT_AUTH, name() + " ended with exit code " + std::to_string(output.exit_code) + words,
                                "run the command by hand as the user of this process (a session may have to be signed in again)");
    }
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(output.text.data(), output.text.size());
    if (document.HasParseError() || !document.IsObject()) return sdk::Status::error(CDCRT_AUTH, name() + " printed no JSON object", kForm);
    const auto version = document.FindMember("Version");
    if (version == document.MemberEnd() || !version->value.IsInt() || version->value.GetInt() != 1)
      return sdk::Status::error(CDCRT_AUTH, name() + " printed an object whose Version is not 1", kForm);
    Credentials keys;
    keys.access_key = member(document, "AccessKeyId");
    keys.secret_key = member(document, "SecretAccessKey");
    keys.session_token = member(document, "SessionToken");
    if (keys.access_key.empty() || keys.secret_key.empty())
      return sdk::Status::error(CDCRT_AUTH, name() + " printed an object without keys", kForm);
    if (const std::string time = member(document, "Expiration"); !time.empty()) {
      std::chrono::system_clock::time_point expires;
      if (!read_time(time, expires))
        return sdk::Status::error(CDCRT_AUTH, name() + " printed an Expiration that is no time", "write it like 2030-01-02T03:04:05Z");
      if (expires <= std::chrono::system_clock::now())
        return sdk::Status::error(CDCRT_AUTH, name() + " printed keys that expired at " + time,
                                  "sign its session in again, or set this machine's clock (NTP)");
      keys.expires_at = expires;
    }
    out = std::move(keys);
    return {};
  }

 private:
  /// A command may repeat on its standard error what it printed.
  static std::string without_keys(std::string words, const std::string& printed) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(printed.data(), printed.size());
    if (document.HasParseError() || !document.IsObject()) return words;
    for (const char* key : {"SecretAccessKey", "SessionToken"}) {
      const std::string secret = member(document, key);
      for (std::size_t at = 0; !secret.empty() && (at = words.find(secret, at)) != std::string::npos; at += 3)
        words.replace(at, secret.size(), "***");
    }
    return words;
  }

  const std::string shown_, command_;
  const Interrupted interrupted_;
};

}  // namespace

bool run_command(const std::string& command, milliseconds timeout, const Interrupted& interrupted, ProcessOutput& out) {
  Pipe output, words;
  pid_t child = 0;
  if (!output.ok() || !words.ok() || !spawn(command, output, words, child)) return false;
  output.close_end(1);
  words.close_end(1);
  std::string last;
  bool reads[2] = {true, true};
  int status = 0;
  const auto end = steady_clock::now() + timeout;
  // A child of the command may keep the pipes open after it: what ends the wait is the command.
  for (;;) {
    pollfd watched[2] = {{reads[0] ? output.end(0) : -1, POLLIN, 0}, {reads[1] ? words.end(0) : -1, POLLIN, 0}};
    ::poll(watched, 2, 50);
    if (watched[0].revents != 0) reads[0] = take(output.end(0), out.text, kMaxOutputBytes);
    if (watched[1].revents != 0) reads[1] = take(words.end(0), last, kMaxOutputBytes);
    if (::waitpid(child, &status, WNOHANG) != 0) break;
    out.timed_out = steady_clock::now() >= end;
    out.interrupted = interrupted && interrupted();
    if (out.timed_out || out.interrupted) {
      ::kill(-child, SIGKILL);
      ::waitpid(child, &status, 0);
      break;
    }
    if (!reads[0] && !reads[1]) std::this_thread::sleep_for(milliseconds(5));
  }
  for (int i = 0; i < 2; ++i) {
    std::string& text = i == 0 ? out.text : last;
    pollfd left = {(i == 0 ? output : words).end(0), POLLIN, 0};
    for (std::size_t begin = 0; begin < kMaxOutputBytes && reads[i] && ::poll(&left, 1, 0) > 0; begin += 4096)
      reads[i] = take(left.fd, text, kMaxOutputBytes);
  }
  out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  out.last_words = last_line(std::move(last));
  return true;
}

std::unique_ptr<CredentialsSource> process_keys(std::string shown, std::string command, Interrupted interrupted) {
  return std::make_unique<ProcessKeys>(std::move(shown), std::move(command), std::move(interrupted));
}

}  // namespace cdcrt::aws
