#include "providers/docker/machine_maker.hpp"

#include "providers/docker/address_pool.hpp"
#include "providers/docker/seed_archive.hpp"
#include "providers/support/log.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <fstream>

namespace tutti::docker {
namespace net = boost::asio;

namespace {

constexpr std::int64_t kLeastMemoryBytes = std::int64_t{256} << 20;

Error exists_already() {
  return Error(ErrorClass::conflict, "exists", "this instance exists already");
}

Error name_taken(const std::string& what, const std::string& name) {
  return Error(ErrorClass::conflict, "foreign_object",
               "a " + what + " " + name + " exists but is not ours: it is left alone");
}

// After these nobody expects that something was made.
bool is_refusal(const Error& error) {
  return error.cls != ErrorClass::transient && error.cls != ErrorClass::unknown;
}

std::string container_path(const Ownership& ownership) {
  return "/containers/" + percent_encode(object_name(ownership.token));
}

std::string with_newline(std::string text) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

Result<void> check_memory() {
  const std::int64_t free = available_memory_bytes();
  if (free < 0 || free >= kLeastMemoryBytes) return {};
  return Error(ErrorClass::capacity, "memory_short",
               "only " + std::to_string(free >> 20) +
                   " MB of memory are free on this machine: an instance needs 256 MB");
}

}  // namespace

std::int64_t available_memory_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::int64_t kilobytes = -1;
  for (std::string rest; file >> name >> kilobytes && std::getline(file, rest);) {
    if (name == "MemAvailable:") return kilobytes * 1024;
  }
  return -1;
}

net::awaitable<Result<Json>> owned_network(EngineApi& api, const NativeId& network,
                                           const Ownership& ownership) {
  TUTTI_CO_TRY(EngineAnswer answer, co_await api.get("/networks/" + percent_encode(network.value)));
  const Json& labels = labels_at(answer.body);
  if (label_of(labels, label::kOwner) != ownership.owner.value ||
      label_of(labels, label::kDeployment) != ownership.deployment.value) {
    co_return Error(ErrorClass::invalid, "foreign_object",
                    "the network " + network.value + " is not of this deployment");
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
  const Result<void> checked = check_machine(spec);
  if (!checked) co_return checked.error();
  TUTTI_CO_TRY(const Progress progress, co_await progress_of(ownership));
  if (progress == Progress::started) co_return exists_already();
  Result<void> done;
  if (progress == Progress::nothing) done = co_await build(spec, ownership);
  if (done) done = co_await seed_and_start(spec, ownership);
  if (done) co_return NativeId(object_name(ownership.token));
  if (is_refusal(done.error()) && done.error().code != "exists") {
    const Result<std::size_t> removed = co_await remove(ownership);
    if (!removed) {
      co_return Error(ErrorClass::transient, done.error().code, done.error().message)
          .with("removing what had been made, which failed too: " + removed.error().message);
    }
  }
  co_return done.error();
}

// A container is named by its token, and the engine has each name once.
net::awaitable<Result<MachineMaker::Progress>> MachineMaker::progress_of(
    const Ownership& ownership) {
  const Result<EngineAnswer> found = co_await api_.get(container_path(ownership) + "/json");
  if (!found) {
    if (found.error().cls == ErrorClass::not_found) co_return Progress::nothing;
    co_return found.error();
  }
  if (!carries(labels_at(found->body, "/Config/Labels"), ownership)) {
    co_return name_taken("container", object_name(ownership.token));
  }
  const bool created = text_at(found->body, "/State/Status") == "created";
  co_return created ? Progress::created : Progress::started;
}

net::awaitable<Result<void>> MachineMaker::build(const InstanceSpec& spec,
                                                 const Ownership& ownership) {
  using namespace net::experimental::awaitable_operators;
  const Result<void> memory = check_memory();
  if (!memory) co_return memory.error();
  TUTTI_CO_TRY(const std::string address, co_await choose_address(spec, ownership));
  TUTTI_CO_TRY([[maybe_unused]] const std::size_t helpers,
               co_await remove_containers(ownership, true));
  const Result<void> volume = co_await make_volume(ownership);
  if (!volume) co_return volume.error();

  Result<void> cloned;
  if (spec.preload_service_images) {
    auto both = clone_image_store(ownership) && host(ownership);
    Result<Host> learned = Host();
    std::tie(cloned, learned) = co_await std::move(both);
    if (!learned) co_return learned.error();
  }
  if (!cloned) co_return cloned.error();
  TUTTI_CO_TRY(const Host here, co_await host(ownership));
  Json body = machine_body(spec, ownership, address, options_.image, here);
  co_return co_await create_container(ownership, std::move(body));
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
    co_return Error(ErrorClass::capacity, "addresses",
                    "a network of the sandbox has addresses for " +
                        std::to_string(kFirstVirtualOffset - kFirstInstanceOffset) + " instances");
  }
  co_return format_ipv4(range->first + static_cast<std::uint32_t>(offset));
}

net::awaitable<Result<void>> MachineMaker::make_volume(const Ownership& ownership) {
  const std::string name = object_name(ownership.token);
  Json body = Json::object();
  body["Name"] = name;
  body["Labels"] = make_labels(ownership, kind::kInstanceVolume);
  // A volume that exists already is answered as it is.
  TUTTI_CO_TRY(const EngineAnswer made, co_await api_.make("/volumes/create", std::move(body)));
  if (!carries(labels_at(made.body), ownership)) co_return name_taken("volume", name);
  co_return Result<void>();
}

net::awaitable<Result<void>> MachineMaker::clone_image_store(const Ownership& ownership) {
  const Gate::Permit permit = co_await clone_gate_.enter();
  TUTTI_CO_TRY(const std::string store, co_await image_store());
  if (store.empty()) co_return Result<void>();  // the instance's engine pulls what it needs
  TUTTI_CO_TRY(const EngineAnswer info, co_await api_.get("/info"));
  const std::string name = object_name(ownership.token);
  Json body = Json::object();
  body["Entrypoint"] = {"/usr/lib/tutti/clone-image-store"};
  body["Cmd"] = {store, name};
  body["HostConfig"]["Binds"] = {text_at(info.body, "/DockerRootDir") + "/volumes:/volumes"};
  TUTTI_CO_TRY(const HelperEnd end, co_await run_helper(ownership, std::move(body)));
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

// The volume to clone, asked each time since a new set of images is a new volume; "" without one.
net::awaitable<Result<std::string>> MachineMaker::image_store() {
  const Result<EngineAnswer> pointer = co_await api_.get(image_path(options_.image_store));
  if (pointer) {
    co_return label_of(labels_at(pointer->body, "/Config/Labels"), "tutti.image-store");
  }
  if (pointer.error().code == "image_missing") co_return std::string();
  co_return pointer.error();
}

net::awaitable<Result<Host>> MachineMaker::host(const Ownership& ownership) {
  const Gate::Permit alone = co_await host_gate_.enter();
  if (host_) co_return *host_;
  TUTTI_CO_TRY(const EngineAnswer info, co_await api_.get("/info"));
  Host learned;
  learned.cpus = number_at(info.body, "/NCPU", 1);
  TUTTI_CO_TRY(learned.privileged, co_await may_be_privileged(ownership));
  host_ = learned;
  co_return learned;
}

// An engine that may not give a capability says so only when such a container is started.
net::awaitable<Result<bool>> MachineMaker::may_be_privileged(const Ownership& ownership) {
  Json body = Json::object();
  body["Entrypoint"] = {"/bin/true"};
  body["HostConfig"]["Privileged"] = true;
  const Result<HelperEnd> end = co_await run_helper(ownership, std::move(body));
  if (end) co_return end->exit_code == 0;
  const std::string& message = end.error().message;
  const bool refused = message.find("operation not permitted") != std::string::npos ||
                       message.find("unable to apply caps") != std::string::npos;
  if (!refused) co_return end.error();
  log(LogLevel::info, "this host refuses privileged containers: capabilities are given one by one");
  co_return false;
}

net::awaitable<Result<void>> MachineMaker::create_container(const Ownership& ownership, Json body) {
  const std::string name = percent_encode(object_name(ownership.token));
  const Result<EngineAnswer> made =
      co_await api_.make("/containers/create?name=" + name, std::move(body));
  if (made) co_return Result<void>();
  if (made.error().cls != ErrorClass::conflict) co_return made.error();
  // The name is taken: by a request of an earlier attempt that the engine carried out late?
  TUTTI_CO_TRY(const Progress progress, co_await progress_of(ownership));
  if (progress == Progress::started) co_return exists_already();
  if (progress == Progress::created) co_return Result<void>();
  co_return Error(ErrorClass::transient, "vanished", made.error().message);
}

net::awaitable<Result<void>> MachineMaker::seed_and_start(const InstanceSpec& spec,
                                                          const Ownership& ownership) {
  const std::string container = container_path(ownership);
  SeedArchive seed;
  if (!spec.authorized_key.empty()) seed.add("authorized_keys", with_newline(spec.authorized_key));
  if (!spec.host_private_key.empty()) {
    seed.add("ssh_host_ed25519_key", with_newline(spec.host_private_key));
  }
  if (!seed.empty()) {
    const Result<EngineAnswer> put = co_await api_.put_archive(
        container + "/archive?path=/etc/tutti/seed", std::move(seed).finish());
    if (!put) co_return put.error();
  }
  const Result<EngineAnswer> started = co_await api_.make(container + "/start");
  if (!started) co_return started.error();
  co_return Result<void>();
}

// A short-lived container of the machines' image, without network; labelled, so that one that was
// left by a crash is found with its instance.
net::awaitable<Result<MachineMaker::HelperEnd>> MachineMaker::run_helper(const Ownership& ownership,
                                                                         Json body) {
  body["Image"] = options_.image;
  body["Labels"] = make_labels(ownership, kind::kHelper);
  body["HostConfig"]["NetworkMode"] = "none";
  body["HostConfig"]["LogConfig"] = log_config();
  TUTTI_CO_TRY(const EngineAnswer made, co_await api_.post("/containers/create", std::move(body)));
  const std::string helper = "/containers/" + text_at(made.body, "/Id");
  HelperEnd end;
  Result<EngineAnswer> step = co_await api_.post(helper + "/start");
  if (step) step = co_await api_.post(helper + "/wait");
  if (step) {
    end.exit_code = number_at(step->body, "/StatusCode", -1);
    if (end.exit_code != 0) end.output = co_await api_.output_of(helper);
  }
  const Result<void> removed = co_await api_.remove(helper + "?force=1&v=1");
  if (!step) co_return step.error();
  if (!removed) co_return removed.error();
  co_return end;
}

net::awaitable<Result<std::size_t>> MachineMaker::remove(const Ownership& ownership) {
  TUTTI_CO_TRY(std::size_t count, co_await remove_containers(ownership, false));
  const std::string path = "/volumes/" + percent_encode(object_name(ownership.token));
  const Result<EngineAnswer> volume = co_await api_.get(path);
  if (!volume && volume.error().cls != ErrorClass::not_found) co_return volume.error();
  if (!volume || !carries(labels_at(volume->body), ownership)) co_return count;
  const Result<void> removed = co_await api_.remove(path);
  if (!removed) co_return removed.error();
  co_return count + 1;
}

net::awaitable<Result<std::size_t>> MachineMaker::remove_containers(const Ownership& ownership,
                                                                    bool helpers_alone) {
  const std::string filter =
      label_filter(label_terms(ownership.owner, ownership.deployment, ownership.token));
  TUTTI_CO_TRY(const EngineAnswer listed, co_await api_.get("/containers/json?all=1&" + filter));
  std::size_t count = 0;
  if (!listed.body.is_array()) co_return count;
  for (const Json& container : listed.body) {
    const std::string which = label_of(labels_at(container), label::kKind);
    if (which != kind::kHelper && (helpers_alone || which != kind::kInstance)) continue;
    const Result<void> removed =
        co_await api_.remove("/containers/" + text_at(container, "/Id") + "?force=1&v=1");
    if (!removed) co_return removed.error();
    ++count;
  }
  co_return count;
}

}  // namespace tutti::docker
