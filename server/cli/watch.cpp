#include "server/cli/watch.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iomanip>
#include <ostream>

namespace tutti::cli {
namespace {

using nlohmann::json;

std::string string_member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t integer_member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<std::int64_t>() : 0;
}

std::string render(const NodeLine& line, std::size_t width) {
  std::string text = "  " + line.node + std::string(width - line.node.size() + 2, ' ') + line.state;
  if (!line.elapsed.empty()) text += "  " + line.elapsed;
  if (!line.step.empty()) text += "  " + line.step;
  return text;
}

}  // namespace

Ending ending_of(std::string_view status, bool deleting) {
  if (status.ends_with("_COMPLETE")) return Ending::done;
  if (status.ends_with("_FAILED")) return Ending::failed;
  return status == "UNKNOWN" && !deleting ? Ending::failed : Ending::not_yet;
}

std::vector<NodeLine> node_lines(const std::string& progress_json) {
  std::vector<NodeLine> lines;
  const json progress = json::parse(progress_json, nullptr, false);
  if (!progress.is_object()) return lines;
  const auto nodes = progress.find("nodes");
  if (nodes == progress.end() || !nodes->is_array()) return lines;
  for (const json& node : *nodes) {
    NodeLine line;
    line.node = string_member(node, "name");
    line.state = string_member(node, "state");
    line.step = string_member(node, "step");
    const std::string task = string_member(node, "task");
    if (!task.empty()) line.step += (line.step.empty() ? "" : ": ") + task;
    if (node.contains("elapsedSeconds")) {
      line.elapsed = std::to_string(integer_member(node, "elapsedSeconds")) + " s";
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

void ProgressPrinter::show(const std::vector<NodeLine>& lines) {
  std::size_t width = 0;
  for (const NodeLine& line : lines) width = std::max(width, line.node.size());
  if (terminal_) {
    if (drawn_ > 0) out_ << "\x1b[" << drawn_ << "A";
    for (const NodeLine& line : lines) {
      // Cut at 118 columns: a wrapped line would break the redrawing.
      out_ << "\x1b[2K" << render(line, width).substr(0, 118) << '\n';
    }
    drawn_ = lines.size();
  } else {
    for (const NodeLine& line : lines) {
      std::string& last = last_[line.node];
      const std::string key = line.state + '\n' + line.step;
      if (last == key) continue;
      last = key;
      out_ << render(line, width) << '\n';
    }
  }
  out_.flush();
}

}  // namespace tutti::cli
