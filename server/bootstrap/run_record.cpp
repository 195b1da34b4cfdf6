#include "server/bootstrap/run_record.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <unistd.h>

namespace tutti::bootstrap {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string record_path(const std::string& state_dir, const RunId& run) {
  return state_dir + "/" + run.value + ".json";
}

// proc(5): the name in parentheses may hold anything; state 3, parent 4, group 5, start time 22.
std::optional<ProcessStat> parse_stat(pid_t pid, const std::string& text) {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  ProcessStat stat;
  stat.identity.pid = pid;
  std::string state, skipped;
  fields >> state >> stat.parent >> stat.group;
  for (int i = 6; i < 22; ++i) fields >> skipped;
  if (!(fields >> stat.identity.start_ticks) || state == "Z" || state == "X") return std::nullopt;
  return stat;
}

Error file_error(const std::string& path) {
  return Error(ErrorClass::transient, "run_record",
               "cannot write " + path + ": " + std::strerror(errno));
}

bool sync_path(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  if (file < 0) return false;
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  return synced;
}

}  // namespace

std::vector<ProcessStat> list_processes() {
  std::vector<ProcessStat> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), &::closedir);
  if (!proc) return all;
  while (const dirent* entry = ::readdir(proc.get())) {
    const std::string name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (const auto stat = parse_stat(pid, read_file("/proc/" + name + "/stat")))
      all.push_back(*stat);
  }
  return all;
}

Result<void> write_record(const std::string& state_dir, const RunRecord& record) {
  const nlohmann::json json = {{"version", 1},
                               {"pid", record.supervisor.pid},
                               {"start_ticks", record.supervisor.start_ticks},
                               {"folder", record.folder}};
  const std::string path = record_path(state_dir, record.run);
  const std::string draft = path + ".new";
  {
    std::ofstream file(draft, std::ios::trunc);
    if (!(file << json.dump()).flush()) return file_error(draft);
  }
  if (!sync_path(draft, O_RDONLY)) return file_error(draft);
  if (std::rename(draft.c_str(), path.c_str()) != 0) return file_error(path);
  if (!sync_path(state_dir, O_RDONLY | O_DIRECTORY)) return file_error(state_dir);
  return {};
}

std::optional<RunRecord> read_record(const std::string& state_dir, const RunId& run) {
  const auto json = nlohmann::json::parse(read_file(record_path(state_dir, run)), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  RunRecord record;
  record.run = run;
  record.supervisor.pid = json.value("pid", 0);
  record.supervisor.start_ticks = json.value("start_ticks", std::uint64_t{0});
  record.folder = json.value("folder", "");
  return record;
}

void remove_record(const std::string& state_dir, const RunId& run) {
  ::unlink(record_path(state_dir, run).c_str());
}

std::vector<pid_t> processes_of(const RunId& run, const std::optional<RunRecord>& record) {
  const std::vector<ProcessStat> all = list_processes();
  const bool leads = record && std::any_of(all.begin(), all.end(), [&](const ProcessStat& process) {
                       return process.identity == record->supervisor;
                     });
  const std::string mark = std::string(kRunVariable) + "=" + run.value;
  std::vector<pid_t> found;
  for (const ProcessStat& process : all) {
    const pid_t pid = process.identity.pid;
    if (pid == ::getpid()) continue;
    const std::string place = "/proc/" + std::to_string(pid);
    const auto names = [&](const char* file, const std::string& text) {
      return read_file(place + file).find(text) != std::string::npos;
    };
    const bool ours = (leads && process.group == record->supervisor.pid) ||
                      names("/environ", mark) ||
                      (record && !record->folder.empty() && names("/cmdline", record->folder));
    if (ours) found.push_back(pid);
  }
  return found;
}

}  // namespace tutti::bootstrap
