#include "server/bootstrap/play_events.hpp"

#include "providers/support/redactor.hpp"

#include <nlohmann/json.hpp>

namespace tutti::bootstrap {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLastOutputBytes = 2000;
constexpr std::size_t kLongestMessage = 4000;

// Of a long message its begin and its end tell most.
std::string shortened(const std::string& text) {
  if (text.size() <= kLongestMessage) return text;
  constexpr std::size_t kHalf = kLongestMessage / 2;
  return text.substr(0, kHalf) + " [...] " + text.substr(text.size() - kHalf);
}

std::string member(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool flag(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

int count(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer() ? found->get<int>() : 0;
}

}  // namespace

void LineSplitter::feed(std::string_view bytes, const std::function<void(std::string_view)>& line) {
  for (const char c : bytes) {
    if (c == '\n') {
      finish(line);
    } else if (rest_.size() < longest_) {
      rest_ += c;
    }
  }
}

void LineSplitter::finish(const std::function<void(std::string_view)>& line) {
  if (!rest_.empty()) line(rest_);
  rest_.clear();
}

void PlayEvents::tell(const std::string& line) {
  if (logged_bytes_ <= kLargestLog) pass_on(redactor().redact(line).substr(0, kLongestLine));
}

void PlayEvents::pass_on(std::string redacted) {
  if (logged_bytes_ > kLargestLog) return;
  Progress progress;
  progress.task = task_;
  progress.line = std::move(redacted);
  logged_bytes_ += progress.line.size() + 1;
  if (logged_bytes_ > kLargestLog) progress.line = "further output of this run is not kept";
  sink_(progress);
}

PlayEvents::HostState& PlayEvents::failure(const std::string& host, std::string task,
                                           std::string message) {
  HostState& state = hosts_[host];
  state.task = std::move(task);
  state.message = shortened(redactor().redact(message));
  return state;
}

void PlayEvents::event_line(std::string_view text) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return;
  const std::string event = member(json, "event");
  const std::string host = member(json, "host");
  const std::string task = member(json, "task");
  if (event == "task") {
    task_ = task;
    tell("task: " + task);
  } else if (event == "ok") {
    if (flag(json, "changed")) tell(host + ": changed");
  } else if (event == "failed") {
    const bool ignored = flag(json, "ignored");
    if (!ignored) {
      failure(host, task, member(json, "message")).hopeless = flag(json, "hopeless");
    }
    tell(host + (ignored ? ": failed (ignored): " : ": FAILED: ") + member(json, "message"));
  } else if (event == "unreachable") {
    failure(host, task, member(json, "message"));
    tell(host + ": UNREACHABLE: " + member(json, "message"));
  } else if (event == "retry") {
    tell(host + ": not yet, " + std::to_string(count(json, "left")) + " attempts left");
  } else if (event == "recap") {
    recap(json);
  }
}

void PlayEvents::recap(const Json& event) {
  const auto hosts = event.find("hosts");
  if (hosts == event.end() || !hosts->is_object()) return;
  has_recap_ = true;
  for (const auto& [name, summary] : hosts->items()) {
    HostState& state = hosts_[name];
    state.seen = true;
    state.failed = count(summary, "failures") > 0;
    state.unreachable = count(summary, "unreachable") > 0;
    changed_ += count(summary, "changed");
    tell(name + ": ok=" + std::to_string(count(summary, "ok")) +
         " changed=" + std::to_string(count(summary, "changed")) +
         " failed=" + std::to_string(count(summary, "failures")) +
         " unreachable=" + std::to_string(count(summary, "unreachable")));
  }
  const auto given = event.find("given");
  if (given == event.end() || !given->is_object()) return;
  for (const auto& [name, results] : given->items()) {
    const auto host = hosts_.find(name);
    if (host == hosts_.end() || !results.is_object()) continue;
    for (const auto& [key, value] : results.items()) {
      if (!value.is_string() || host->second.given.size() >= kMostAttributes) continue;
      const std::string text = redactor().redact(value.get<std::string>());
      host->second.given[key] = text.substr(0, kLongestAttribute);
    }
  }
}

void PlayEvents::output_line(std::string_view text) {
  const std::string line = redactor().redact(text).substr(0, kLongestLine);
  pass_on(line);
  last_output_ += (last_output_.empty() ? "" : "\n") + line;
  if (last_output_.size() > kLastOutputBytes) {
    last_output_.erase(0, last_output_.size() - kLastOutputBytes);
  }
}

Outcome PlayEvents::outcome(const Run& run) const {
  Outcome outcome;
  outcome.changed = changed_;
  for (const Host& target : run.targets) {
    HostResult result;
    result.key = target.key;
    const auto found = hosts_.find(target.name);
    if (found == hosts_.end() || !found->second.seen) {
      result.message = "the run ended before it came to this host";
    } else {
      const HostState& state = found->second;
      result.ok = !state.failed && !state.unreachable;
      result.unreachable = state.unreachable;
      result.hopeless = !result.ok && state.hopeless;
      result.attributes = state.given;
      if (!result.ok) {
        result.failed_task = state.task;
        result.message = state.message;
      }
    }
    outcome.hosts.push_back(std::move(result));
  }
  return outcome;
}

}  // namespace tutti::bootstrap
