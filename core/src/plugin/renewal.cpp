#include "plugin/renewal.hpp"

#include "diagnostics/plugin_error.hpp"

namespace cdcrt::plugin {

Renewal::Instance Renewal::current() const {
  const std::lock_guard lock(known_mutex_);
  return current_;
}

Result<Renewal::Instance> Renewal::renew(const Instance& refused) {
  constexpr std::chrono::seconds kAskAgainAfter{10};
  const std::lock_guard one_at_a_time(mutex_);
  if (current_ != refused) return current_;
  const auto now = std::chrono::steady_clock::now();
  if (asked_ != std::chrono::steady_clock::time_point{} && now - asked_ < kAskAgainAfter) {
    if (failure_) return *failure_;
    return refused;
  }
  asked_ = now;
  failure_.reset();
  auto options = component_.renew();
  if (!options) {
    failure_ = options.error();
    return *failure_;
  }
  if (options->same_values(component_.options)) {
    const std::lock_guard lock(known_mutex_);
    component_.options.good_until = options->good_until;
    return refused;
  }
  Component fresh = component_;
  fresh.options = std::move(*options);
  auto created = create_(fresh);
  if (!created) {
    failure_ = created.error();
    return *failure_;
  }
  const std::lock_guard lock(known_mutex_);
  component_ = std::move(fresh);
  current_ = std::move(*created);
  return current_;
}

Renewal::Instance Renewal::after_refusal(const Instance& refused, Error& why) {
  auto renewed = renew(refused);
  if (renewed) return std::move(*renewed);
  why.hint += (why.hint.empty() ? "" : "; ") + std::string("the manifest's secrets could not be read again: ") + explain(renewed.error());
  return refused;
}

Result<Renewal::Instance> Renewal::renew_what_expires(const Instance& tried) {
  constexpr std::chrono::minutes kRenewBefore{5};
  const auto good_until = [&] {
    const std::lock_guard lock(known_mutex_);
    return component_.options.good_until;
  }();
  const auto now = std::chrono::system_clock::now();
  if (!good_until || *good_until - kRenewBefore > now) return tried;
  auto renewed = renew(tried);
  if (renewed) return renewed;
  if (*good_until > now) return tried;
  // An outage of those who give logins is waited for as one of the target is.
  return make_error(CDCRT_RETRY,
                    "the login of sink '" + component_.name + "' has expired and cannot be renewed: " + renewed.error().message,
                    renewed.error().hint);
}

}  // namespace cdcrt::plugin
