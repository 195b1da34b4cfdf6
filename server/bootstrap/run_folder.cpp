#include "server/bootstrap/run_folder.hpp"

#include "providers/support/child_process.hpp"
#include "server/bootstrap/inventory.hpp"
#include "server/bootstrap/run_record.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace tutti::bootstrap {
namespace {

namespace fs = std::filesystem;

// sun_path has 108 bytes; ssh binds a temporary name 17 longer first. "c/<address>:<port>"
// takes 25.
constexpr std::size_t kLongestFolder = 108 - 1 - 17 - 25;

Error file_error(const std::string& path) {
  return Error(ErrorClass::transient, "run_folder",
               "cannot write " + path + ": " + std::strerror(errno));
}

Result<void> write_private(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return file_error(path);
  while (!text.empty()) {
    const ssize_t size = ::write(file, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      Error error = file_error(path);
      ::close(file);
      return error;
    }
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  ::close(file);
  return {};
}

// Known keys alone; no agent, no configuration of the daemon's user.
std::string ssh_arguments(const std::string& folder) {
  return "-F /dev/null -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=" + folder +
         "/c/%h:%p -o IdentitiesOnly=yes -o IdentityAgent=none -o "
         "PreferredAuthentications=publickey"
         " -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null -o UserKnownHostsFile=" +
         folder + "/known_hosts -o ServerAliveInterval=10 -o ServerAliveCountMax=6";
}

// What the run sets itself stands first; the rest is the same for all runs.
std::string configuration(const AnsibleOptions& options, const Run& run,
                          const std::string& folder) {
  std::string text = "[defaults]\n";
  const auto set = [&text](std::string_view name, const std::string& value) {
    text.append(name).append(" = ").append(value).append("\n");
  };
  set("roles_path", options.roles_dir);
  set("inventory", folder + "/inventory.json");
  set("remote_user", run.login_user);
  set("private_key_file", folder + "/login_key");
  set("forks", std::to_string(options.forks));
  set("callback_plugins", folder + "/callback");
  set("home", folder + "/home");
  set("local_tmp", folder + "/home/tmp");
  text += R"(stdout_callback = tutti_events
gathering = explicit
interpreter_python = /usr/bin/python3
host_key_checking = True
retry_files_enabled = False
nocows = True
timeout = 30
internal_poll_interval = 0.01
force_valid_group_names = ignore
deprecation_warnings = False
[inventory]
enable_plugins = yaml
[privilege_escalation]
become = True
[ssh_connection]
pipelining = True
retries = 2
)";
  set("ssh_args", ssh_arguments(folder));
  return text;
}

}  // namespace

std::string RunFolder::path_of(const AnsibleOptions& options, const RunId& run) {
  std::string name;
  for (const char c : run.value) {
    if (c != '-' && name.size() < 16) name += c;
  }
  return options.run_dir + "/" + name;
}

Result<RunFolder> RunFolder::make(const AnsibleOptions& options, const Run& run) {
  const std::string path = path_of(options, run.id);
  if (path.size() > kLongestFolder) {
    return Error(ErrorClass::invalid, "run_dir_long",
                 "the folder for runs, " + options.run_dir + ", has too long a name for sockets");
  }
  std::error_code error;
  fs::remove_all(path, error);  // of a run that was proved dead
  if (::mkdir(path.c_str(), 0700) != 0) return file_error(path);
  RunFolder folder(path);
  for (const char* name : {"/c", "/callback", "/home", "/home/tmp"}) {
    if (::mkdir((path + name).c_str(), 0700) != 0) return file_error(path + name);
  }
  const std::vector<std::pair<std::string, std::string>> files{
      {"/inventory.json", inventory_json(run)},
      {"/vars.json", vars_json(run.vars)},
      {"/secrets.json", vars_json(run.secret_vars)},
      {"/known_hosts", known_hosts(run)},
      {"/login_key", run.login_private_key},
      {"/ansible.cfg", configuration(options, run, path)},
      {"/callback/tutti_events.py", std::string(kCallbackPlugin)}};
  for (const auto& [name, text] : files) {
    if (auto written = write_private(path + name, text); !written)
      return std::move(written).error();
  }
  return folder;
}

RunFolder::~RunFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

std::vector<std::string> RunFolder::command(const AnsibleOptions& options, const Run& run) const {
  return {options.ansible_playbook,      "-e",
          "@" + path_ + "/vars.json",    "-e",
          "@" + path_ + "/secrets.json", options.playbooks_dir + "/" + run.playbook};
}

std::map<std::string, std::string> RunFolder::environment(const Run& run) const {
  auto environment = allowed_environment({"PATH", "TZ", "USER", "LOGNAME"});
  environment["LANG"] = "C.UTF-8";
  environment["LC_ALL"] = "C.UTF-8";
  environment["HOME"] = path_ + "/home";
  environment["ANSIBLE_CONFIG"] = path_ + "/ansible.cfg";
  environment["TUTTI_EVENTS_FD"] = std::to_string(kEventsDescriptor);
  environment[kRunVariable] = run.id.value;
  return environment;
}

}  // namespace tutti::bootstrap
