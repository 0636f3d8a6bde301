#include "diagnostics/suggestion.hpp"

#include <algorithm>
#include <iterator>

#include "diagnostics/text.hpp"

namespace cdcrt::diagnostics {
namespace {

constexpr std::size_t kMaxCompared = 128;  // beyond it nothing is a typing error, and the distance is quadratic

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) letter = lower(letter);
  return result;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (char letter : lower(text)) {
    if (letter == '_' || letter == '-' || letter == '.' || letter == ' ') {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += letter;
    }
  }
  if (words.back().empty()) words.pop_back();
  std::sort(words.begin(), words.end());
  return words;
}

std::string join(const std::vector<std::string>& words) {
  std::string result;
  for (const auto& word : words) result += word + "_";
  return result;
}

constexpr double kFar = 1e9;

/// 0 is equal; comparable between candidates.
double cost(std::string_view wrong, const std::vector<std::string>& wrong_words, const std::string& candidate) {
  const std::size_t length = std::max(wrong.size(), candidate.size());
  const std::size_t allowed = std::max<std::size_t>(1, (length + 1) / 3);
  const std::size_t distance = edit_distance(wrong, candidate);
  double best = distance <= allowed && distance < length ? static_cast<double>(distance) : kFar;
  const auto words = words_of(candidate);
  if (words.size() > 1 && wrong_words.size() > 1) {
    const std::size_t sorted_distance = edit_distance(join(wrong_words), join(words));
    if (sorted_distance <= allowed) best = std::min(best, static_cast<double>(sorted_distance) + 0.5);
    std::vector<std::string> shared;
    std::set_intersection(words.begin(), words.end(), wrong_words.begin(), wrong_words.end(), std::back_inserter(shared));
    // A shared word weighs half of what is not shared, so that bach_rows finds max_rows where both are equally far by letters.
    if (2 * shared.size() >= std::max(words.size(), wrong_words.size())) {
      best = std::min(best, static_cast<double>(distance) / 2 + 1.5);
    }
  }
  if (words.size() > 1 && wrong_words.size() == 1 && std::find(words.begin(), words.end(), wrong_words.front()) != words.end()) {
    best = std::min(best, 1.5);
  }
  const std::string lowered = lower(wrong), candidate_lowered = lower(candidate);
  if (lowered.size() >= 3 && candidate_lowered.size() > lowered.size() && candidate_lowered.starts_with(lowered)) {
    best = std::min(best, 2.5);
  }
  return best;
}

}  // namespace

std::size_t edit_distance(std::string_view left, std::string_view right) {
  if (left.size() > kMaxCompared || right.size() > kMaxCompared) return std::max(left.size(), right.size());
  std::vector<std::size_t> before(right.size() + 1), last(right.size() + 1), now(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const bool equal = lower(left[i - 1]) == lower(right[j - 1]);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (equal ? 0 : 1)});
      if (i > 1 && j > 1 && lower(left[i - 1]) == lower(right[j - 2]) && lower(left[i - 2]) == lower(right[j - 1])) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[right.size()];
}

std::optional<std::string> nearest(std::string_view wrong, const std::vector<std::string>& candidates) {
  if (wrong.empty() || wrong.size() > kMaxCompared) return std::nullopt;
  const auto words = words_of(wrong);
  double best = kFar;
  std::optional<std::string> found;
  for (const auto& candidate : candidates) {
    const double candidate_cost = cost(wrong, words, candidate);
    if (candidate_cost < best) {
      best = candidate_cost;
      found = candidate;
    }
  }
  return found;
}

bool is_slip(std::string_view wrong, std::string_view name) {
  const auto without_digits = [](std::string_view text) {
    std::string letters;
    std::copy_if(text.begin(), text.end(), std::back_inserter(letters), [](char c) { return c < '0' || c > '9'; });
    return letters;
  };
  if (wrong == name || wrong.size() > kMaxCompared) return false;
  const std::size_t distance = edit_distance(wrong, name);
  if (distance == 0) return true;
  if (without_digits(wrong) == without_digits(name)) return false;
  return distance <= std::min<std::size_t>(2, wrong.size() / 3);
}

std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& candidates) {
  if (const auto name = nearest(wrong, candidates)) return "did you mean " + quote(*name) + "?";
  if (candidates.empty() || candidates.size() > 12) return {};
  std::string help = "allowed here: ";
  for (std::size_t i = 0; i < candidates.size(); ++i) help += (i == 0 ? "" : ", ") + candidates[i];
  return help;
}

}  // namespace cdcrt::diagnostics
