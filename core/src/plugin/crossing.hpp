// Crossing: how the host calls a function of a plugin. Only sources of this folder include it.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/status.hpp"
#include "diagnostics/plugin_error.hpp"
#include "diagnostics/result.hpp"
#include "plugin/call_note.hpp"
#include "plugin/component.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::plugin {

/// The plugin's answer as a cdcrt_code; FATAL where it is none of them.
inline cdcrt_code known_code(int32_t code) { return code > CDCRT_OK && code <= CDCRT_BUSY ? static_cast<cdcrt_code>(code) : CDCRT_FATAL; }

/// Which function of which plugin is called, and for what.
struct Callee {
  std::string_view plugin, function, object;
};

/// Puts the plugin's name before the message of a FATAL error, which may come from deep inside of it.
inline Error named(std::string_view plugin, Error error) {
  if (error.code == CDCRT_FATAL && !plugin.empty()) error.message = std::string(plugin) + ": " + error.message;
  return error;
}

/// Runs a boundary call that fills a cdcrt_error and turns a failure into an Error, releasing what the plugin allocated.
template <class Call>
Result<int32_t> cross_noted(std::string_view plugin, Call&& call) {
  cdcrt_error error{};
  error.size = sizeof error;
  int32_t code = CDCRT_FATAL;
  std::string escaped;
  try {
    code = call(&error);
  } catch (const std::exception& exception) {
    escaped = std::string("an exception left the plugin, which none may: ") + exception.what();
  } catch (...) {
    escaped = "an exception of unknown type left the plugin, which none may";
  }
  if (!escaped.empty()) return named(plugin, make_error(CDCRT_FATAL, escaped, "this is a fault of the plugin: tell its author"));
  if (code == CDCRT_OK || code == CDCRT_END) {
    if (error.release != nullptr) error.release(&error);
    return code;
  }
  Error result = diagnostics::to_error(error);
  if (error.release != nullptr) error.release(&error);
  result.code = known_code(error.code == CDCRT_OK ? code : error.code);
  return named(plugin, std::move(result));
}

template <class Call>
Result<int32_t> cross(const Callee& callee, Call&& call) {
  const CallNote note(callee.plugin, callee.function, callee.object);
  return cross_noted(callee.plugin, std::forward<Call>(call));
}

template <class Call>
Result<void> cross_void(const Callee& callee, Call&& call) {
  auto result = cross(callee, std::forward<Call>(call));
  if (!result) return std::move(result.error());
  return {};
}

/// A call without a result (destroy, release), perhaps while another one fails: exceptions are logged and go no further.
template <class Call>
void cross_quietly(const Callee& callee, Call&& call) noexcept {
  const CallNote note(callee.plugin, callee.function, callee.object);
  const auto tell = [&](std::string_view what) noexcept {
    try {
      const std::string text = std::string(callee.plugin) + ": an exception left the plugin's '" + std::string(callee.function) +
                               "', which none may: " + std::string(what) + "; this is a fault of the plugin: tell its author";
      host_services()->log(nullptr, CDCRT_LOG_ERROR, sdk::borrow("plugin"), sdk::borrow(text));
    } catch (...) {  // nobody is left to hear it
    }
  };
  try {
    call();
  } catch (const std::exception& exception) {
    tell(exception.what());
  } catch (...) {
    tell("of unknown type");
  }
}

/// A new instance of a plugin, destroyed with the last who holds it.
template <class Functions>
Result<std::shared_ptr<void>> create_instance(const Functions* functions, const Component& component) {
  void* self = nullptr;
  const std::string name = name_of(*component.descriptor);
  auto result = cross({name, "create", {}},
                      [&](cdcrt_error* error) { return functions->create(host_services(), component.options.abi(), &self, error); });
  if (!result) return std::move(result.error());
  return std::shared_ptr<void>(self, [name, destroy = functions->destroy](void* gone) {
    cross_quietly({name, "destroy", {}}, [&] { destroy(gone); });
  });
}

/// A connection as the host keeps it: the plugin's own pointer, and how it is closed.
struct Opened {
  void* self;
  void (*close)(void*);
  std::string plugin;
};

inline void* opened(void* connection) { return static_cast<Opened*>(connection)->self; }

inline void close_connection(void* connection) {
  const std::unique_ptr<Opened> gone(static_cast<Opened*>(connection));
  if (gone->self != nullptr) cross_quietly({gone->plugin, "close", {}}, [&] { gone->close(gone->self); });
}

}  // namespace cdcrt::plugin
