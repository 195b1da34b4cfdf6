// Live progress of a deployment on a terminal (one line per node, redrawn) or as plain lines (one
// for each change), from the daemon's /progress.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::cli {

// What one look at /deployments/{id}/progress says of one node template.
struct NodeLine {
  std::string node;
  std::string state;    // "started", "creating 1/3", ...
  std::string step;     // current step and task, may be empty
  std::string elapsed;  // since the node's work began, "12 s"
};

[[nodiscard]] std::vector<NodeLine> node_lines(const std::string& progress_json);

// How far a deployment with this status is, for whoever waits for it. UNKNOWN ends the waiting: it
// stays until somebody looks. But a delete goes on beneath it, until it is gone.
enum class Ending { not_yet, done, failed };
[[nodiscard]] Ending ending_of(std::string_view status, bool deleting);

class ProgressPrinter {
 public:
  // `terminal`: redraw in place with ANSI sequences; else print what changed.
  ProgressPrinter(std::ostream& out, bool terminal) : out_(out), terminal_(terminal) {}
  void show(const std::vector<NodeLine>& lines);

 private:
  std::ostream& out_;
  bool terminal_;
  std::size_t drawn_ = 0;
  std::map<std::string, std::string> last_;
};

}  // namespace tutti::cli
