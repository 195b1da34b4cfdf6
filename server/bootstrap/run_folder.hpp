// The files of one run: a folder for its owner alone, on tmpfs, gone when the run is. Used by the
// bootstrapper, on the pool.
#pragma once

#include "server/bootstrap/bootstrap.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::bootstrap {

extern const std::string_view kCallbackPlugin;  // the text of callback/tutti_events.py

// The descriptor on which the callback plugin finds its pipe.
inline constexpr int kEventsDescriptor = 3;

class RunFolder {
 public:
  // Where the run's folder is or will be; short, because sockets lie in it.
  [[nodiscard]] static std::string path_of(const AnsibleOptions& options, const RunId& run);
  [[nodiscard]] static Result<RunFolder> make(const AnsibleOptions& options, const Run& run);

  RunFolder() = default;  // none; awaiting a Result wants it
  RunFolder(RunFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  RunFolder& operator=(RunFolder&&) = delete;
  ~RunFolder();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::vector<std::string> command(const AnsibleOptions& options,
                                                 const Run& run) const;
  [[nodiscard]] std::map<std::string, std::string> environment(const Run& run) const;

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace tutti::bootstrap
