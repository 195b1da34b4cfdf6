#include "providers/docker/machine_maker.hpp"

#include "providers/docker/address_pool.hpp"
#include "providers/docker/seed_archive.hpp"
#include "providers/support/log.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>

namespace tutti::docker {
namespace net = boost::asio;

namespace {

constexpr std::int64_t kLeastMemoryBytes = std::int64_t{256} << 20;

// All that an engine of 20.10 can name except SYS_RESOURCE: for hosts that lack that one and so
// refuse a privileged container as a whole.
constexpr std::array kCapabilities{
    "CHOWN",          "DAC_OVERRIDE",   "DAC_READ_SEARCH",  "FOWNER",        "FSETID",
    "KILL",           "SETGID",         "SETUID",           "SETPCAP",       "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN",       "NET_RAW",       "IPC_LOCK",
    "IPC_OWNER",      "SYS_MODULE",     "SYS_RAWIO",        "SYS_CHROOT",    "SYS_PTRACE",
    "SYS_PACCT",      "SYS_ADMIN",      "SYS_BOOT",         "SYS_NICE",      "SYS_TIME",
    "SYS_TTY_CONFIG", "MKNOD",          "LEASE",            "AUDIT_WRITE",   "AUDIT_CONTROL",
    "SETFCAP",        "MAC_OVERRIDE",   "MAC_ADMIN",        "SYSLOG",        "WAKE_ALARM",
    "BLOCK_SUSPEND",  "AUDIT_READ"};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Error foreign(const std::string& what, const std::string& name) {
  return Error(ErrorClass::invalid, "foreign_object",
               what + " " + name + " exists but is not ours: it is left alone");
}

// A bounded log whatever the engine's default is: run_helper() reads it back.
Json log_config() {
  return Json{{"Type", "json-file"}, {"Config", {{"max-size", "1m"}, {"max-file", "2"}}}};
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

std::string ends_with_newline(std::string text) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

bool is_hostname(const std::string& name) {
  const auto good = [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-';
  };
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), good);
}

}  // namespace

std::int64_t available_memory_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::int64_t kilobytes = -1;
  for (std::string line; file >> name >> kilobytes && std::getline(file, line);) {
    if (name == "MemAvailable:") return kilobytes * 1024;
  }
  return -1;
}

std::string image_path(std::string_view name) {
  std::string path = "/images/";
  for (const char c : name) path += c == '/' ? std::string(1, c) : percent_encode({&c, 1});
  return path + "/json";
}

std::string image_warning(const ImageQuery& query, const std::string& image) {
  const std::string have = "the sandbox has only " + image + " (Debian 12, x86_64)";
  if (!query.image.empty() && query.image != image) return query.image + " was asked for; " + have;
  const std::string version = lower(query.version);
  const bool right_version = version.empty() || version == "12" || version.starts_with("12.") ||
                             version == "bookworm";
  const std::string distribution = lower(query.distribution);
  const bool right_distribution = distribution.empty() || distribution == "debian";
  const std::string architecture = lower(query.architecture);
  const bool right_architecture =
      architecture.empty() || architecture == "x86_64" || architecture == "amd64";
  if (right_distribution && right_version && right_architecture) return {};
  std::string asked;
  for (const std::string& part : {query.distribution, query.version, query.architecture}) {
    if (!part.empty()) asked += (asked.empty() ? "" : " ") + part;
  }
  return asked + " was asked for; " + have;
}

net::awaitable<Result<Json>> owned_network(EngineApi& api, const NativeId& network,
                                           const Ownership& ownership) {
  TUTTI_CO_TRY(EngineAnswer answer, co_await api.get("/networks/" + percent_encode(network.value)));
  const Json& labels = labels_at(answer.body);
  if (label_of(labels, label::kOwner) != ownership.owner.value ||
      label_of(labels, label::kDeployment) != ownership.deployment.value) {
    co_return foreign("network", network.value);
  }
  Result<Json> result(boost::system::in_place_value, std::move(answer.body));
  co_return result;
}

MachineMaker::MachineMaker(EngineApi& api, const DockerOptions& options)
    : api_(api), options_(options), clone_gate_(std::max<std::size_t>(options.clones_at_once, 1)) {}

net::awaitable<Result<NativeId>> MachineMaker::make(const InstanceSpec& spec,
                                                    const Ownership& ownership) {
  const CreateToken token = ownership.token;
  if (!making_.insert(token).second) {
    co_return Error(ErrorClass::conflict, "in_progress", "this instance is being created already");
  }
  struct Leave {
    std::set<CreateToken>& making;
    const CreateToken& token;
    ~Leave() { making.erase(token); }
  };
  const Leave leave{making_, token};
  co_return co_await make_alone(spec, ownership);
}

net::awaitable<Result<NativeId>> MachineMaker::make_alone(const InstanceSpec& spec,
                                                          const Ownership& ownership) {
  if (!is_hostname(spec.hostname)) {
    co_return Error(ErrorClass::invalid, "hostname", "not a host name: " + spec.hostname);
  }
  if (const std::string type = lower(spec.image.type); !type.empty() && type != "linux") {
    co_return Error(ErrorClass::invalid, "image", "the sandbox has Linux only, not " + type);
  }
  TUTTI_CO_TRY(const Progress progress, co_await progress_of(ownership));
  if (progress == Progress::started) {
    co_return Error(ErrorClass::conflict, "exists", "this instance exists already");
  }
  if (progress == Progress::nothing) {
    const std::int64_t memory = available_memory_bytes();
    if (memory >= 0 && memory < kLeastMemoryBytes) {
      co_return Error(ErrorClass::capacity, "memory_short",
                      "only " + std::to_string(memory >> 20) +
                          " MB of memory are free on this machine: an instance needs 256 MB");
    }
    TUTTI_CO_TRY(const std::string address, co_await choose_address(spec, ownership));
    const Result<void> learned = co_await learn_host(ownership);
    if (!learned) co_return learned.error();
    const Result<void> volume = co_await make_volume(ownership);
    if (!volume) co_return volume.error();
    if (spec.preload_service_images) {
      const Result<void> cloned = co_await clone_image_store(ownership);
      if (!cloned) co_return cloned.error();
    }
    const Result<void> created = co_await create_container(spec, ownership, address);
    if (!created) co_return created.error();
  }
  const Result<void> started = co_await seed_and_start(spec, ownership);
  if (!started) co_return started.error();
  co_return NativeId(object_name(ownership.token));
}

net::awaitable<Result<MachineMaker::Progress>> MachineMaker::progress_of(
    const Ownership& ownership) {
  const std::string name = object_name(ownership.token);
  const Result<EngineAnswer> answer =
      co_await api_.get("/containers/" + percent_encode(name) + "/json");
  if (!answer) {
    if (answer.error().cls == ErrorClass::not_found) co_return Progress::nothing;
    co_return answer.error();
  }
  if (!carries(labels_at(answer->body, "/Config/Labels"), ownership)) {
    co_return foreign("container", name);
  }
  const bool created = text_at(answer->body, "/State/Status") == "created";
  co_return created ? Progress::created : Progress::started;
}

net::awaitable<Result<std::string>> MachineMaker::choose_address(const InstanceSpec& spec,
                                                                 const Ownership& ownership) {
  TUTTI_CO_TRY(const Json network, co_await owned_network(api_, spec.network.native_id, ownership));
  const auto range = parse_range(text_at(network, "/IPAM/Config/0/Subnet"));
  const std::uint64_t offset = std::uint64_t{kFirstInstanceOffset} + spec.address_index;
  if (!range) {
    co_return Error(ErrorClass::invalid, "network",
                    "the network " + spec.network.native_id.value + " has no IPv4 range");
  }
  if (offset >= kFirstVirtualOffset) {
    co_return Error(ErrorClass::quota, "addresses",
                    "a network of the sandbox has addresses for " +
                        std::to_string(kFirstVirtualOffset - kFirstInstanceOffset) + " instances");
  }
  co_return format_ipv4(range->first + static_cast<std::uint32_t>(offset));
}

net::awaitable<Result<void>> MachineMaker::learn_host(const Ownership& ownership) {
  const Gate::Permit alone = co_await host_gate_.enter();
  if (host_) co_return Result<void>();
  TUTTI_CO_TRY(const EngineAnswer info, co_await api_.get("/info"));
  Host host;
  host.cpus = std::max<std::int64_t>(number_at(info.body, "/NCPU", 1), 1);
  host.volumes_folder = text_at(info.body, "/DockerRootDir") + "/volumes";
  TUTTI_CO_TRY(host.privileged, co_await may_be_privileged(ownership));
  host_ = host;
  co_return Result<void>();
}

net::awaitable<Result<bool>> MachineMaker::may_be_privileged(const Ownership& ownership) {
  Json body = Json::object();
  body["Image"] = options_.image;
  body["Entrypoint"] = {"/bin/true"};
  body["Labels"] = make_labels(ownership, kind::kHelper);
  body["HostConfig"] = {{"NetworkMode", "none"}, {"Privileged", true}};
  const Result<HelperEnd> end = co_await run_helper(std::move(body));
  if (end) co_return end->exit_code == 0;
  const std::string& message = end.error().message;
  const bool refused = message.find("operation not permitted") != std::string::npos ||
                       message.find("unable to apply caps") != std::string::npos;
  if (!refused) co_return end.error();
  log(LogLevel::info, "this host refuses privileged containers: capabilities are given one by one");
  co_return false;
}

net::awaitable<Result<void>> MachineMaker::make_volume(const Ownership& ownership) {
  Json body = Json::object();
  const std::string name = object_name(ownership.token);
  body["Name"] = name;
  body["Labels"] = make_labels(ownership, kind::kInstanceVolume);
  // A volume that exists already is answered as it is.
  TUTTI_CO_TRY(const EngineAnswer made, co_await api_.post("/volumes/create", std::move(body)));
  if (!carries(labels_at(made.body), ownership)) co_return foreign("volume", name);
  co_return Result<void>();
}

net::awaitable<Result<void>> MachineMaker::clone_image_store(const Ownership& ownership) {
  const Gate::Permit permit = co_await clone_gate_.enter();
  const Result<EngineAnswer> pointer = co_await api_.get(image_path(options_.image_store));
  if (!pointer && pointer.error().cls != ErrorClass::not_found &&
      pointer.error().code != "image_missing") {
    co_return pointer.error();
  }
  const std::string store =
      pointer ? text_at(pointer->body, "/Config/Labels/tutti.image-store") : std::string();
  if (store.empty()) co_return Result<void>();  // the instance's engine pulls what it needs
  const Result<std::size_t> removed = co_await remove_containers(ownership, false);
  if (!removed) co_return removed.error();

  const std::string name = object_name(ownership.token);
  Json body = Json::object();
  body["Image"] = options_.image;
  body["Entrypoint"] = {"/usr/lib/tutti/clone-image-store"};
  body["Cmd"] = {store, name};
  body["Labels"] = make_labels(ownership, kind::kHelper);
  body["HostConfig"] = {{"NetworkMode", "none"}, {"Binds", {host_->volumes_folder + ":/volumes"}}};
  TUTTI_CO_TRY(const HelperEnd end, co_await run_helper(std::move(body)));
  if (end.exit_code == 0) co_return Result<void>();
  constexpr std::int64_t kUsedByAnEngine = 4;
  if (end.exit_code == kUsedByAnEngine) {
    // What a machine of this very token left: no container has it, so nothing of it is wanted.
    const Result<void> gone = co_await api_.remove("/volumes/" + percent_encode(name));
    if (!gone) co_return gone.error();
  }
  co_return Error(ErrorClass::transient, "image_store_" + std::to_string(end.exit_code),
                  "cloning the image store " + store + " failed: " + end.output);
}

net::awaitable<Result<void>> MachineMaker::create_container(const InstanceSpec& spec,
                                                            const Ownership& ownership,
                                                            const std::string& address) {
  Json body = container_body(spec, ownership, address);
  const std::string path = "/containers/create?name=" + percent_encode(object_name(ownership.token));
  const Result<EngineAnswer> made = co_await api_.post(path, std::move(body));
  if (!made) co_return made.error();
  co_return Result<void>();
}

Json MachineMaker::container_body(const InstanceSpec& spec, const Ownership& ownership,
                                  const std::string& address) const {
  const std::string& network = spec.network.native_id.value;
  Json body = Json::object();
  body["Hostname"] = spec.hostname;
  body["Image"] = options_.image;
  Json labels = make_labels(ownership, kind::kInstance);
  labels[label::kAddress] = address;
  const std::string warning = image_warning(spec.image, options_.image);
  if (!warning.empty()) labels[label::kImageWarning] = warning;
  body["Labels"] = std::move(labels);

  Json host = Json::object();
  host["Binds"] = {object_name(ownership.token) + ":/var/lib/docker"};
  host["NetworkMode"] = network;
  host["RestartPolicy"] = {{"Name", "unless-stopped"}};
  host["LogConfig"] = log_config();
  constexpr std::int64_t kNanoCpus = 1000000000;
  host["NanoCpus"] = std::clamp<std::int64_t>(spec.num_cpus, 1, host_->cpus) * kNanoCpus;
  if (spec.mem_size_bytes > 0) {
    host["Memory"] = spec.mem_size_bytes;
    host["MemorySwap"] = spec.mem_size_bytes;  // none beyond
  }
  add_privileges(host, host_->privileged);
  body["HostConfig"] = std::move(host);
  body["NetworkingConfig"]["EndpointsConfig"][network]["IPAMConfig"]["IPv4Address"] = address;
  return body;
}

net::awaitable<Result<void>> MachineMaker::seed_and_start(const InstanceSpec& spec,
                                                          const Ownership& ownership) {
  const std::string container = "/containers/" + percent_encode(object_name(ownership.token));
  SeedArchive seed;
  if (!spec.authorized_key.empty()) {
    seed.add("authorized_keys", ends_with_newline(spec.authorized_key));
  }
  if (!spec.host_private_key.empty()) {
    seed.add("ssh_host_ed25519_key", ends_with_newline(spec.host_private_key));
  }
  if (!seed.empty()) {
    const Result<EngineAnswer> put = co_await api_.put_archive(
        container + "/archive?path=/etc/tutti/seed", std::move(seed).finish());
    if (!put) co_return put.error();
  }
  const Result<EngineAnswer> started = co_await api_.post(container + "/start");
  if (!started) co_return started.error();
  co_return Result<void>();
}

net::awaitable<Result<MachineMaker::HelperEnd>> MachineMaker::run_helper(Json body) {
  body["HostConfig"]["LogConfig"] = log_config();
  TUTTI_CO_TRY(const EngineAnswer made, co_await api_.post("/containers/create", std::move(body)));
  const std::string id = text_at(made.body, "/Id");
  HelperEnd end;
  Result<EngineAnswer> step = co_await api_.post("/containers/" + id + "/start");
  if (step) step = co_await api_.post("/containers/" + id + "/wait");
  if (step) {
    end.exit_code = number_at(step->body, "/StatusCode", -1);
    if (end.exit_code != 0) end.output = co_await api_.output_of(id);
  }
  const Result<void> removed = co_await api_.remove("/containers/" + id + "?force=1&v=1");
  if (!step) co_return step.error();
  if (!removed) co_return removed.error();
  co_return end;
}

net::awaitable<Result<std::size_t>> MachineMaker::remove_containers(const Ownership& ownership,
                                                                    bool machine) {
  const std::string filter =
      label_filter(label_terms(ownership.owner, ownership.deployment, ownership.token));
  TUTTI_CO_TRY(const EngineAnswer listed, co_await api_.get("/containers/json?all=1&" + filter));
  std::size_t count = 0;
  if (!listed.body.is_array()) co_return count;
  for (const Json& container : listed.body) {
    const std::string which = label_of(labels_at(container), label::kKind);
    if (which != kind::kHelper && !(machine && which == kind::kInstance)) continue;
    const Result<void> removed =
        co_await api_.remove("/containers/" + text_at(container, "/Id") + "?force=1&v=1");
    if (!removed) co_return removed.error();
    ++count;
  }
  co_return count;
}

}  // namespace tutti::docker
