#include "server/cli/client.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/inputs.hpp"
#include "server/cli/watch.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <unistd.h>

namespace tutti::cli {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kPoll{300};

std::string text_of(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

void print_outcome(const json& deployment) {
  std::cout << text_of(deployment, "uuid") << "  " << text_of(deployment, "status") << '\n';
  const std::string reason = text_of(deployment, "statusReason");
  if (!reason.empty()) std::cout << "  reason: " << reason << '\n';
  const auto outputs = deployment.find("outputs");
  if (outputs == deployment.end() || !outputs->is_object()) return;
  for (const auto& [name, value] : outputs->items()) {
    std::cout << "  " << name << ": "
              << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
  }
}

// What was tolerated in the template, and what the site gives instead of what it asks for.
void print_warnings(const std::string& progress_json) {
  const json progress = json::parse(progress_json, nullptr, false);
  if (!progress.is_object() || !progress.contains("warnings")) return;
  for (const json& warning : progress.at("warnings")) {
    if (warning.is_string()) std::cerr << warning.get<std::string>() << '\n';
  }
}

// The last lines of the log, where a failure explains itself.
void print_log_tail(Client& client, const std::string& id) {
  const auto answer = client.send("GET", "/deployments/" + id + "/log");
  if (!answer || answer->status != 200 || answer->body.empty()) return;
  constexpr std::size_t kTail = 3000;
  const std::string& text = answer->body;
  const std::size_t from = text.size() > kTail ? text.find('\n', text.size() - kTail) + 1 : 0;
  std::cerr << "log (end):\n" << text.substr(from) << '\n';
}

// Follows a deployment until it ends; `deleting`: until it is gone.
int watch(Client& client, const std::string& id, bool deleting, std::chrono::seconds timeout) {
  ProgressPrinter printer(std::cout, isatty(STDOUT_FILENO) != 0);
  const auto end = std::chrono::steady_clock::now() + timeout;
  int unanswered = 0;
  while (true) {
    const auto answer = client.send("GET", "/deployments/" + id);
    if (!answer || answer->status >= 500) {
      // A daemon that is being restarted comes back; the deployment goes on by itself.
      if (++unanswered > 20) return report(client, answer);
    } else if (answer->status == 404) {
      if (!deleting) return report(client, answer);
      std::cout << id << "  deleted\n";
      return kDone;
    } else if (answer->status == 200) {
      unanswered = 0;
      const json deployment = json::parse(answer->body, nullptr, false);
      const std::string status = text_of(deployment, "status");
      const auto progress = client.send("GET", "/deployments/" + id + "/progress");
      if (progress && progress->status == 200) printer.show(node_lines(progress->body));
      const Ending ending = ending_of(status, deleting);
      if (ending != Ending::not_yet) print_outcome(deployment);
      if (ending == Ending::done) return kDone;
      if (ending == Ending::failed) {
        print_log_tail(client, id);
        return kFailed;
      }
    } else {
      return report(client, answer);
    }
    if (std::chrono::steady_clock::now() > end) {
      std::cerr << "tutti: still running after " << timeout.count()
                << " s; follow it with: tutti status " << id << " --follow\n";
      return kRunning;
    }
    if (!client.pause(kPoll)) {
      std::cerr << "tutti: detached; it goes on. Follow it with: tutti status " << id
                << " --follow\n";
      return kRunning;
    }
  }
}

// The id is on disk before anything else happens, so that a script can find what it started.
bool write_id(const std::string& file, const std::string& id) {
  std::ofstream out(file, std::ios::trunc);
  out << id << '\n';
  out.flush();
  return static_cast<bool>(out);
}

}  // namespace

int deploy(const Options& options) {
  const auto request = read_request(options);
  if (!request) return kRefused;
  Client client(options.server);
  const auto answer = client.send("POST", "/deployments", request->json, options.idempotency_key);
  if (!answer || (answer->status != 201 && answer->status != 200)) return report(client, answer);
  const json deployment = json::parse(answer->body, nullptr, false);
  const std::string id = text_of(deployment, "uuid");
  if (!options.id_file.empty() && !write_id(options.id_file, id)) {
    std::cerr << "tutti: deployment " << id << " was accepted, but " << options.id_file
              << " cannot be written\n";
  }
  std::cout << id << "  accepted\n" << std::flush;
  const auto progress = client.send("GET", "/deployments/" + id + "/progress");
  if (progress && progress->status == 200) print_warnings(progress->body);
  if (options.detach) return kDone;
  return watch(client, id, false, options.timeout);
}

int list(const Options& options) {
  Client client(options.server);
  json all = json::array();
  for (int page = 0;; ++page) {
    const auto answer = client.send("GET", "/deployments?size=500&page=" + std::to_string(page));
    if (!answer || answer->status != 200) return report(client, answer);
    const json body = json::parse(answer->body, nullptr, false);
    for (const auto& deployment : body.at("content")) all.push_back(deployment);
    if (page + 1 >= body.at("page").at("totalPages").get<int>()) break;
  }
  if (options.json) {
    std::cout << all.dump(2) << '\n';
    return kDone;
  }
  for (const auto& deployment : all) {
    std::cout << text_of(deployment, "uuid") << "  " << std::left << std::setw(20)
              << text_of(deployment, "status") << "  " << text_of(deployment, "creationTime")
              << '\n';
  }
  return kDone;
}

int status(const Options& options) {
  Client client(options.server);
  const auto answer = client.send("GET", "/deployments/" + options.deployment);
  if (!answer || answer->status != 200) return report(client, answer);
  const json deployment = json::parse(answer->body, nullptr, false);
  if (options.follow) {
    const bool deleting = text_of(deployment, "status").starts_with("DELETE");
    return watch(client, options.deployment, deleting, options.timeout);
  }
  if (options.json) {
    std::cout << deployment.dump(2) << '\n';
    return kDone;
  }
  const auto progress = client.send("GET", "/deployments/" + options.deployment + "/progress");
  if (progress && progress->status == 200) {
    print_warnings(progress->body);
    ProgressPrinter(std::cout, false).show(node_lines(progress->body));
  }
  print_outcome(deployment);
  const Ending ending = ending_of(text_of(deployment, "status"), false);
  return ending == Ending::failed ? kFailed : kDone;
}

int log(const Options& options) {
  Client client(options.server);
  const auto answer = client.send("GET", "/deployments/" + options.deployment + "/log");
  if (!answer || answer->status != 200) return report(client, answer);
  std::cout << answer->body;
  if (!answer->body.empty() && answer->body.back() != '\n') std::cout << '\n';
  return kDone;
}

int remove(const Options& options) {
  Client client(options.server);
  const auto answer = client.send("DELETE", "/deployments/" + options.deployment);
  // 409: a delete is under way already; it is watched like our own.
  if (!answer || (answer->status != 204 && answer->status != 409)) return report(client, answer);
  if (options.detach) return kDone;
  return watch(client, options.deployment, true, options.timeout);
}

}  // namespace tutti::cli
