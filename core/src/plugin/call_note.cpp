#include "plugin/call_note.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "cdcrt/sdk/status.hpp"
#include "plugin/registry.hpp"

namespace cdcrt::plugin {

/// A line that is put together in a signal handler: nothing is allocated, nothing is locked.
struct CrashLine {
  void add(std::string_view text) {
    const std::size_t size = std::min(text.size(), bytes.size() - used - 1);
    std::memcpy(bytes.data() + used, text.data(), size);
    used += size;
  }
  void add(int64_t number) {
    std::array<char, 20> digits{};
    std::size_t count = 0;
    uint64_t rest = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    do {
      digits[count++] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (number < 0) add("-");
    while (count > 0) add(std::string_view(&digits[--count], 1));
  }
  void add(const CallNote& note) {
    add(" in ");
    add(note.function_);
    add("() of ");
    add(note.plugin_);
    if (note.has_messages_) {
      add(" for ");
      add(note.object_);
      add("[");
      add(note.partition_);
      add(note.first_ == note.last_ ? "] offset " : "] offsets ");
      add(note.first_);
      if (note.first_ != note.last_) {
        add(" to ");
        add(note.last_);
      }
    } else if (!note.object_.empty()) {
      add(" for '");
      add(note.object_);
      add("'");
    }
    add(note.has_messages_ ? "; none of these messages is applied, the next start reads them again"
                           : "; the next start goes on from what the target holds");
    add(". This is a fault of the plugin: tell its author");
  }
  void write() {
    bytes[used++] = '\n';
    for (std::size_t done = 0; done < used;) {
      const ssize_t wrote = ::write(STDERR_FILENO, bytes.data() + done, used - done);
      if (wrote <= 0) return;
      done += static_cast<std::size_t>(wrote);
    }
  }

  std::array<char, 1024> bytes;
  std::size_t used = 0;
};

namespace {

constexpr std::array kCrashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr std::size_t kStackBytes = 64 << 10;

thread_local const CallNote* current_call = nullptr;
std::array<struct sigaction, kCrashes.size()> former_actions;

std::string_view crash_name(int signal) {
  switch (signal) {
    case SIGSEGV: return "SIGSEGV (memory that is not there)";
    case SIGBUS: return "SIGBUS (memory that cannot be reached)";
    case SIGFPE: return "SIGFPE (a division by zero or its like)";
    case SIGILL: return "SIGILL (an instruction that the processor does not know)";
    default: return "SIGABRT (it gave up)";
  }
}

void on_crash(int signal, siginfo_t* information, void*) {
  // What somebody else sent, as a watchdog does, is no fault of the plugin that happens to be called.
  const bool is_own = information->si_code > 0 || information->si_pid == ::getpid();
  if (current_call != nullptr && is_own) {
    CrashLine line;
    line.add("cdcrt: crashed with ");
    line.add(crash_name(signal));
    line.add(*current_call);
    line.write();
  }
  for (std::size_t i = 0; i < kCrashes.size(); ++i) {
    if (kCrashes[i] == signal) (void)::sigaction(signal, &former_actions[i], nullptr);
  }
  // A fault happens again by itself, in its place; what somebody sent does not.
  if (information->si_code <= 0) (void)::raise(signal);
}

/// A handler needs a stack of its own where the thread's is used up.
class SignalStack {
 public:
  SignalStack() {
    stack_t known{};
    if (::sigaltstack(nullptr, &known) != 0 || (known.ss_flags & SS_DISABLE) == 0) return;  // somebody, as a sanitizer, has given it one
    void* const taken = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (taken == MAP_FAILED) return;
    bytes_ = taken;
    stack_t own{};
    own.ss_sp = bytes_;
    own.ss_size = kStackBytes;
    (void)::sigaltstack(&own, nullptr);
  }
  ~SignalStack() {
    if (bytes_ == nullptr) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    (void)::sigaltstack(&none, nullptr);
    (void)::munmap(bytes_, kStackBytes);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  void* bytes_ = nullptr;
};

}  // namespace

std::string name_of(const cdcrt_plugin& plugin) {
  const std::string path = path_of(&plugin);
  return std::string(kind_name(plugin.kind)) + " '" + plugin.name + "'" + (path.empty() ? "" : " (" + path + ")");
}

CallNote::CallNote(std::string_view plugin, std::string_view function, std::string_view object)
    : plugin_(plugin), function_(function), object_(object) {
  stand();
}

CallNote::CallNote(std::string_view plugin, std::string_view function, const cdcrt_messages& messages)
    : CallNote(plugin, function, messages.topic, messages.partition, messages.count > 0 ? messages.messages[0].offset : 0,
               messages.count > 0 ? messages.messages[messages.count - 1].offset : 0) {}

CallNote::CallNote(std::string_view plugin, std::string_view function, cdcrt_string topic, int32_t partition, int64_t first, int64_t last)
    : plugin_(plugin), function_(function), object_(sdk::view(topic)), has_messages_(true), partition_(partition), first_(first),
      last_(last) {
  stand();
}

void CallNote::stand() {
  thread_local const SignalStack stack;
  (void)stack;
  before_ = current_call;
  current_call = this;
}

CallNote::~CallNote() { current_call = before_; }

void watch_crashes() {
  static const bool once = [] {
    for (std::size_t i = 0; i < kCrashes.size(); ++i) {
      struct sigaction action {};
      action.sa_sigaction = on_crash;
      action.sa_flags = SA_SIGINFO | SA_ONSTACK;
      ::sigemptyset(&action.sa_mask);
      (void)::sigaction(kCrashes[i], &action, &former_actions[i]);
    }
    return true;
  }();
  (void)once;
}

}  // namespace cdcrt::plugin
