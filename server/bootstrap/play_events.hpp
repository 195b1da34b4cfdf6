// Reads what the callback plugin tells and makes of it progress, log lines and each host's result.
// Plain data: no I/O. Limits what a talkative playbook can make us keep.
#pragma once

#include "server/bootstrap/bootstrap.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tutti::bootstrap {

// Cuts a stream of bytes into lines; a line beyond `longest` bytes is cut there.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t longest) : longest_(longest) {}
  void feed(std::string_view bytes, const std::function<void(std::string_view)>& line);
  // The rest, when the stream ends without a line's end.
  void finish(const std::function<void(std::string_view)>& line);

 private:
  std::size_t longest_;
  std::string rest_;
};

class PlayEvents {
 public:
  static constexpr std::size_t kLongestLine = 8192;
  // Lines are redacted before they are cut to kLongestLine, else a part of a secret could stay: so
  // more of them must come in.
  static constexpr std::size_t kLongestInput = std::size_t{64} << 10;
  // Of what a play hands out for one host.
  static constexpr std::size_t kMostAttributes = 64;
  static constexpr std::size_t kLongestAttribute = 4096;
  static constexpr std::size_t kLargestLog = std::size_t{4} << 20;

  explicit PlayEvents(ProgressSink sink) : sink_(std::move(sink)) {}

  void event_line(std::string_view json);   // from the callback plugin
  void output_line(std::string_view text);  // Ansible's own standard output and error

  // Whether Ansible came to its own end of the play.
  [[nodiscard]] bool has_recap() const { return has_recap_; }
  [[nodiscard]] Outcome outcome(const Run& run) const;
  // The last lines of Ansible's own output, for the message of a run that failed as a whole.
  [[nodiscard]] const std::string& last_output() const { return last_output_; }

 private:
  struct HostState {
    bool failed = false;
    bool unreachable = false;
    bool hopeless = false;
    bool seen = false;  // in the recap
    std::string task;
    std::string message;
    std::map<std::string, std::string> given;
  };
  void tell(const std::string& line);
  void pass_on(std::string redacted);
  HostState& failure(const std::string& host, std::string task, std::string message);
  void recap(const nlohmann::json& event);

  ProgressSink sink_;
  std::map<std::string, HostState> hosts_;
  std::string task_;
  std::string last_output_;
  std::size_t logged_bytes_ = 0;
  int changed_ = 0;
  bool has_recap_ = false;
};

}  // namespace tutti::bootstrap
