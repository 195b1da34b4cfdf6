// Takes known secrets out of text before it is logged, journaled or shown. A last line of defence:
// code that handles secrets does not print them in the first place.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace tutti {

// Thread-safe. Secrets are counted: each add() is undone by one remove().
class Redactor {
 public:
  // Shorter texts would take ordinary words apart ("on", "admin").
  static constexpr std::size_t kMinimumLength = 6;

  Redactor() = default;
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;
  ~Redactor();

  // Texts below the minimum are ignored; the lines of a longer text (a PEM key) count one by one
  // too.
  void add(std::string_view secret);
  void remove(std::string_view secret);

  // Every occurrence becomes "[secret]", the longest secret first where several begin together.
  [[nodiscard]] std::string redact(std::string_view text) const;

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, int, std::less<>> secrets_;
};

// The process's one redactor, used by log().
[[nodiscard]] Redactor& redactor();

}  // namespace tutti
