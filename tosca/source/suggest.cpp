#include "tosca/source/suggest.hpp"

#include <algorithm>
#include <numeric>

namespace tutti::tosca {

namespace {

// Long names are not worth the square of their length.
constexpr std::size_t kLongestName = 128;
// Short names are near each other by chance.
constexpr std::size_t kShortestSlip = 4;

// Levenshtein distance with neighbours' swaps counted as one (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view written, const std::vector<std::string_view>& known) {
  if (written.empty() || written.size() > kLongestName) return {};
  std::string_view best;
  std::size_t nearest = std::max<std::size_t>(1, written.size() / 3) + 1;
  for (const std::string_view name : known) {
    if (name.size() > kLongestName || name.size() + nearest < written.size() ||
        written.size() + nearest < name.size()) {
      continue;
    }
    const std::size_t far = distance(written, name);
    if (far < nearest) {
      nearest = far;
      best = name;
    }
  }
  return best.empty() ? std::string() : "did you mean " + std::string(best) + "?";
}

bool is_slip(std::string_view written, const std::vector<std::string_view>& known) {
  if (written.size() < kShortestSlip || written.size() > kLongestName) return false;
  return std::any_of(known.begin(), known.end(), [&](std::string_view name) {
    return name.size() <= written.size() + 1 && written.size() <= name.size() + 1 &&
           distance(written, name) == 1;
  });
}

}  // namespace tutti::tosca
