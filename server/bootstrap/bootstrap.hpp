// Ansible over SSH, run by the daemon: inventories, runs with a budget and a kill ladder, progress,
// per-host results. Knows plans only as words for steps; knows nothing of clouds or HTTP.
#pragma once

#include "providers/base/ids.hpp"
#include "providers/base/result.hpp"
#include "providers/support/clock.hpp"
#include "providers/support/offload.hpp"
#include "server/plan/plan.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tutti::bootstrap {

// Made once when a deployment is accepted and sealed with it: everything that its instances and
// services need to trust each other. Host and login keys derive from `seed`.
struct ClusterSecrets {
  std::string seed;            // 32 random bytes
  std::string ca_certificate;  // PEM, P-256, ten years
  std::string ca_key;          // PEM
};
[[nodiscard]] ClusterSecrets make_cluster_secrets(WallTime now, const DeploymentId& deployment);
[[nodiscard]] std::string encode(const ClusterSecrets& secrets);  // JSON, to be sealed
[[nodiscard]] Result<ClusterSecrets> decode_cluster_secrets(std::string_view json);

// Ed25519 in OpenSSH's forms, the same for the same arguments (HKDF-SHA256 of the seed).
struct SshKey {
  std::string private_key;  // "-----BEGIN OPENSSH PRIVATE KEY-----..."
  std::string public_key;   // "ssh-ed25519 AAAA..."
};
[[nodiscard]] SshKey derive_ssh_key(const ClusterSecrets& secrets, const std::string& purpose);
// What the roles expect as extra variables (cluster_ca_certificate, consul_gossip_key, ...).
[[nodiscard]] std::map<std::string, std::string> role_secrets(const ClusterSecrets& secrets);

struct Host {
  std::string name;     // instance name, "mesos_master_server-0"
  std::string address;  // reachable from the daemon
  int port = 22;
  std::string host_public_key;  // "ssh-ed25519 AAAA...": no trust on first use
  plan::InstanceKey key;        // the instance whose outcome this host decides
  tosca::Map vars;              // ordinal, addresses, hostname: never secrets
};

struct Run {
  RunId id;
  DeploymentId deployment;
  std::string step;      // StepId, for progress
  std::string playbook;  // relative to the playbooks' folder
  std::vector<Host> targets;
  std::map<std::string, std::vector<Host>> groups;  // per Compute node template, all known hosts
  tosca::Map vars;
  tosca::Map secret_vars;  // plain texts: only ever in a 0600 file on tmpfs
  std::string login_user;
  std::string login_private_key;
  std::chrono::seconds budget{1800};
};

struct HostResult {
  plan::InstanceKey key;
  bool ok = false;
  bool unreachable = false;
  // The failed module says that repeating does not help (its result's `hopeless`).
  bool hopeless = false;
  std::string failed_task;
  std::string message;  // redacted
  // Texts that the play handed out for this host (set_stats with per_host), redacted: attributes of
  // the instance.
  std::map<std::string, std::string> attributes;
};

struct Outcome {
  std::vector<HostResult> hosts;  // of each target; of the silent ones alone when SSH was missing
  int changed = 0;
};

// A task began or ended, or a line for the log; already redacted.
struct Progress {
  std::string task;  // name of the running task
  std::string line;  // for the log, may be empty
};
using ProgressSink = std::function<void(const Progress&)>;

class Bootstrapper {
 public:
  Bootstrapper() = default;
  Bootstrapper(const Bootstrapper&) = delete;
  Bootstrapper& operator=(const Bootstrapper&) = delete;
  virtual ~Bootstrapper() = default;

  // Waits for SSH on every target, then runs the playbook. An Outcome with failed hosts is not an
  // Error; an Error means that the run itself could not be made (ansible missing, budget exceeded).
  // Cancelling the coroutine takes the run's process group down before it returns.
  [[nodiscard]] virtual boost::asio::awaitable<Result<Outcome>> run(const Run& run,
                                                                    ProgressSink progress) = 0;
  // After a crash: proves that no process of this run lives any more, killing it if need be.
  // Only then may the step run again.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> ensure_dead(const RunId& run) = 0;
};

struct AnsibleOptions {
  std::string playbooks_dir;  // deploy/playbooks
  std::string roles_dir;      // deploy/roles
  std::string run_dir;        // tmpfs, 0700; one folder per run beneath it
  std::string state_dir;      // survives the daemon: (pid, start time) of live runs
  std::string ansible_playbook = "ansible-playbook";
  std::chrono::seconds ssh_deadline{180};
  int forks = 20;
  int parallel_runs = 8;
  // The program that calls supervise_main(), and the word that makes it do so.
  std::vector<std::string> supervisor{"/proc/self/exe", "__supervise"};
};

// `run_dir` and `state_dir` are made (0700) where they are missing. Runs beyond parallel_runs wait
// their turn. Everything happens on `executor`'s thread but files and /proc, which `offload` reads.
[[nodiscard]] Result<std::unique_ptr<Bootstrapper>> make_ansible_bootstrapper(
    boost::asio::any_io_executor executor, Clock& clock, Offload& offload, AnsibleOptions options);

}  // namespace tutti::bootstrap
