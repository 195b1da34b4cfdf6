// The tar archive by which the engine takes files into a container that has not started yet.
#pragma once

#include <string>
#include <string_view>

namespace tutti::docker {

// POSIX ustar, regular files of root alone. The archive may hold a private key: it goes to the
// engine and nowhere else.
class SeedArchive {
 public:
  // `name` has at most 99 characters and no folder.
  void add(std::string_view name, std::string_view content);
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::string finish() &&;

 private:
  std::string bytes_;
};

}  // namespace tutti::docker
