#include "plugin/options.hpp"

#include <algorithm>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::plugin {

/// Everything that abi() lends, copied once: an Options may be copied and moved while plugins hold its cdcrt_config.
struct Options::Abi {
  std::string name, pipeline;
  std::vector<Value> values;
  std::vector<std::vector<cdcrt_string>> lists;
  std::vector<cdcrt_option_value> crossing;
  cdcrt_config config{};
};

Options::Options(std::string name, std::string pipeline, std::vector<Value> values)
    : values_(std::move(values)), abi_(std::make_shared<Abi>()) {
  abi_->name = std::move(name);
  abi_->pipeline = std::move(pipeline);
  abi_->values = values_;
  abi_->lists.reserve(values_.size());
  for (const Value& value : abi_->values) {
    auto& list = abi_->lists.emplace_back();
    for (const auto& text : value.strings) list.push_back(sdk::borrow(text));
    cdcrt_option_value crossing{};
    crossing.key = value.option->key;
    crossing.type = value.option->type;
    crossing.is_set = value.is_set ? 1 : 0;
    crossing.count = static_cast<uint32_t>(value.option->type == CDCRT_OPTION_MAP ? list.size() / 2 : list.size());
    crossing.integer = value.integer;
    crossing.real = value.real;
    crossing.string = value.is_set ? sdk::borrow(value.string) : cdcrt_string{};
    crossing.strings = list.empty() ? nullptr : list.data();
    abi_->crossing.push_back(crossing);
  }
  abi_->config.size = sizeof(cdcrt_config);
  abi_->config.count = static_cast<uint32_t>(abi_->crossing.size());
  abi_->config.values = abi_->crossing.data();
  abi_->config.value_size = sizeof(cdcrt_option_value);
  abi_->config.name = sdk::borrow(abi_->name);
  abi_->config.pipeline = sdk::borrow(abi_->pipeline);
}

const cdcrt_config* Options::abi() const {
  static constexpr cdcrt_config kNone{sizeof(cdcrt_config), 0, nullptr, sizeof(cdcrt_option_value), 0, {}, {}};
  return abi_ ? &abi_->config : &kNone;
}

bool Options::same_values(const Options& other) const {
  return std::equal(values_.begin(), values_.end(), other.values_.begin(), other.values_.end(), [](const Value& left, const Value& right) {
    return left.option == right.option && left.is_set == right.is_set && left.integer == right.integer && left.real == right.real &&
           left.string == right.string && left.strings == right.strings;
  });
}

std::optional<Position> Options::position_of(const std::string& key) const {
  for (std::string wanted = key; !wanted.empty();) {
    for (const Value& value : values_) {
      if (wanted != value.option->key) continue;
      if (value.position.file.empty()) return std::nullopt;
      return value.position;
    }
    // Below a map: the map's own place is the nearest that is known.
    const std::size_t dot = wanted.rfind('.');
    wanted.resize(dot == std::string::npos ? 0 : dot);
  }
  return std::nullopt;
}

}  // namespace cdcrt::plugin
