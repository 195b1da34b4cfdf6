#include "providers/docker/machine_body.hpp"

#include "providers/docker/objects.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace tutti::docker {
namespace {

// All that an engine of 20.10 can name, SYS_RESOURCE aside.
constexpr std::array kCapabilities{
    "AUDIT_CONTROL", "AUDIT_READ",      "AUDIT_WRITE",      "BLOCK_SUSPEND",
    "CHOWN",         "DAC_OVERRIDE",    "DAC_READ_SEARCH",  "FOWNER",
    "FSETID",        "IPC_LOCK",        "IPC_OWNER",        "KILL",
    "LEASE",         "LINUX_IMMUTABLE", "MAC_ADMIN",        "MAC_OVERRIDE",
    "MKNOD",         "NET_ADMIN",       "NET_BIND_SERVICE", "NET_BROADCAST",
    "NET_RAW",       "SETFCAP",         "SETGID",           "SETPCAP",
    "SETUID",        "SYSLOG",          "SYS_ADMIN",        "SYS_BOOT",
    "SYS_CHROOT",    "SYS_MODULE",      "SYS_NICE",         "SYS_PACCT",
    "SYS_PTRACE",    "SYS_RAWIO",       "SYS_TIME",         "SYS_TTY_CONFIG",
    "WAKE_ALARM"};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_hostname(const std::string& name) {
  const auto good = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), good);
}

void add_privileges(Json& host_config, bool privileged) {
  host_config["CgroupnsMode"] = "private";
  if (privileged) {
    host_config["Privileged"] = true;
    return;
  }
  host_config["CapAdd"] = kCapabilities;
  host_config["SecurityOpt"] = {"seccomp=unconfined", "apparmor=unconfined"};
  host_config["MaskedPaths"] = Json::array();
  host_config["ReadonlyPaths"] = Json::array();
  host_config["DeviceCgroupRules"] = {"a *:* rwm"};
}

Json host_config(const InstanceSpec& spec, const std::string& volume, const Host& host) {
  Json config = Json::object();
  config["Binds"] = {volume + ":/var/lib/docker"};
  config["NetworkMode"] = spec.network.native_id.value;
  config["RestartPolicy"] = {{"Name", "unless-stopped"}};  // a reboot from inside ends it
  config["LogConfig"] = log_config();
  constexpr std::int64_t kNanoCpus = 1000000000;
  const std::int64_t most = std::max<std::int64_t>(host.cpus, 1);
  config["NanoCpus"] = std::clamp<std::int64_t>(spec.num_cpus, 1, most) * kNanoCpus;
  if (spec.mem_size_bytes > 0) {
    config["Memory"] = spec.mem_size_bytes;
    config["MemorySwap"] = spec.mem_size_bytes;  // no swap beyond it
  }
  add_privileges(config, host.privileged);
  return config;
}

}  // namespace

Json log_config() {
  return Json{{"Type", "json-file"}, {"Config", {{"max-size", "1m"}, {"max-file", "2"}}}};
}

Json machine_body(const InstanceSpec& spec, const Ownership& ownership, const std::string& address,
                  const std::string& image, const Host& host) {
  Json labels = make_labels(ownership, kind::kInstance);
  labels[label::kAddress] = address;
  const std::string warning = image_warning(spec.image, image);
  if (!warning.empty()) labels[label::kImageWarning] = warning;

  const std::string& network = spec.network.native_id.value;
  Json body = Json::object();
  body["Hostname"] = spec.hostname;
  body["Image"] = image;
  body["Labels"] = std::move(labels);
  body["HostConfig"] = host_config(spec, object_name(ownership.token), host);
  body["NetworkingConfig"]["EndpointsConfig"][network]["IPAMConfig"]["IPv4Address"] = address;
  return body;
}

std::string image_warning(const ImageQuery& query, const std::string& image) {
  const std::string have = " was asked for; the sandbox has only " + image + " (Debian 12, x86_64)";
  if (!query.image.empty() && query.image != image) return query.image + have;
  const std::string distribution = lower(query.distribution);
  const std::string version = lower(query.version);
  const std::string architecture = lower(query.architecture);
  const bool as_asked =
      (distribution.empty() || distribution == "debian") &&
      (version.empty() || version == "12" || version.starts_with("12.") || version == "bookworm") &&
      (architecture.empty() || architecture == "x86_64" || architecture == "amd64");
  if (as_asked) return {};
  std::string asked;
  for (const std::string& part : {query.distribution, query.version, query.architecture}) {
    if (!part.empty()) asked += (asked.empty() ? "" : " ") + part;
  }
  return asked + have;
}

Result<void> check_machine(const InstanceSpec& spec) {
  if (!is_hostname(spec.hostname)) {
    return Error(ErrorClass::invalid, "hostname", "not a host name: " + spec.hostname);
  }
  const std::string type = lower(spec.image.type);
  if (!type.empty() && type != "linux") {
    return Error(ErrorClass::invalid, "image", "the sandbox has Linux only, not " + type);
  }
  return {};
}

}  // namespace tutti::docker
