#include "providers/docker/docker_provider.hpp"

#include "providers/docker/address_pool.hpp"
#include "providers/docker/engine_api.hpp"
#include "providers/docker/gate.hpp"
#include "providers/docker/machine_maker.hpp"
#include "providers/docker/objects.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace tutti {
namespace docker {
namespace {

namespace net = boost::asio;

using Resources = std::vector<Resource>;

Error exists_already(ResourceKind kind) {
  return Error(ErrorClass::conflict, "exists",
               "this " + std::string(to_string(kind)) + " exists already");
}

Error not_ours(const Resource& resource) {
  return Error(ErrorClass::invalid, "foreign_object",
               "the " + std::string(to_string(resource.kind)) + " " + resource.native_id.value +
                   " does not carry the ownership given: it is left alone");
}

std::vector<Ipv4Range> host_routes() {
  std::ifstream file("/proc/net/route");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_routes(text.str());
}

std::string container_path(const std::string& name) {
  return "/containers/" + percent_encode(name);
}

class DockerProvider final : public Provider {
 public:
  DockerProvider(const DockerOptions& options, HttpClient& http)
      : options_(options), api_(http, options.socket), maker_(api_, options) {
    // By their names. A second network of a name is not refused: keep_oldest() settles those.
    capabilities_.native_tokens = {ResourceKind::instance, ResourceKind::virtual_address};
    capabilities_.virtual_address = true;
    capabilities_.fixed_addresses = true;
    capabilities_.stop = true;
    capabilities_.max_cpus = sysconf(_SC_NPROCESSORS_ONLN);
    // How long an engine may still work on a request whose sender died; a sender that lives waits
    // for the answer (EngineApi::make).
    capabilities_.visibility_window = std::chrono::seconds(15);
  }

  const ProviderCapabilities& capabilities() const override { return capabilities_; }
  net::awaitable<Result<Catalogue>> catalogue() override;
  net::awaitable<Result<NativeId>> create(const ResourceSpec& spec,
                                          const Ownership& ownership) override;
  net::awaitable<Result<Resources>> find(const Ownership& ownership, ResourceKind kind) override;
  net::awaitable<Result<Resources>> list_owned(const OwnerId& owner,
                                               const DeploymentId& deployment) override;
  net::awaitable<Result<void>> set_power(const Resource& resource, Power power) override;
  net::awaitable<Result<void>> destroy(const Resource& resource) override;

 private:
  net::awaitable<Result<NativeId>> create_network(const Ownership& ownership);
  net::awaitable<Result<std::vector<Ipv4Range>>> choose_subnets(const CreateToken& token);
  net::awaitable<Result<NativeId>> keep_oldest(const Ownership& ownership);
  net::awaitable<Result<NativeId>> create_virtual_address(const VirtualAddressSpec& spec,
                                                          const Ownership& ownership);
  net::awaitable<Result<std::string>> choose_virtual_address(const VirtualAddressSpec& spec,
                                                             const Ownership& ownership);
  net::awaitable<Result<Json>> list(std::string path, std::vector<std::string> labels);
  net::awaitable<Result<Json>> list_volumes(std::vector<std::string> labels);
  net::awaitable<Result<void>> destroy_instance(const Resource& resource);
  net::awaitable<Result<void>> destroy_object(const Resource& resource, std::string path);
  [[nodiscard]] Resources instances(const Json& containers, const Json& volumes) const;

  DockerOptions options_;
  ProviderCapabilities capabilities_;
  EngineApi api_;
  MachineMaker maker_;
  Gate address_gate_{1};  // who chooses a range or an address sees what the last one took
};

net::awaitable<Result<Catalogue>> DockerProvider::catalogue() {
  TUTTI_CO_TRY(const EngineAnswer info, co_await api_.get("/info"));
  TUTTI_CO_TRY(const EngineAnswer image, co_await api_.get(image_path(options_.image)));
  CatalogueImage machine;
  machine.name = options_.image;
  machine.distribution = "debian";
  machine.version = "12";
  const std::string architecture = text_at(image.body, "/Architecture");
  machine.architecture = architecture == "amd64" ? "x86_64" : architecture;
  Catalogue catalogue;
  catalogue.images.push_back(std::move(machine));
  catalogue.free_memory_bytes = available_memory_bytes();
  catalogue.cpus = number_at(info.body, "/NCPU", -1);
  co_return catalogue;
}

net::awaitable<Result<NativeId>> DockerProvider::create(const ResourceSpec& spec,
                                                        const Ownership& ownership) {
  if (const auto* instance = std::get_if<InstanceSpec>(&spec)) {
    co_return co_await maker_.make(*instance, ownership);
  }
  if (const auto* address = std::get_if<VirtualAddressSpec>(&spec)) {
    co_return co_await create_virtual_address(*address, ownership);
  }
  co_return co_await create_network(ownership);
}

net::awaitable<Result<NativeId>> DockerProvider::create_network(const Ownership& ownership) {
  const Gate::Permit alone = co_await address_gate_.enter();
  TUTTI_CO_TRY(const Resources before, co_await find(ownership, ResourceKind::network));
  if (!before.empty()) co_return exists_already(ResourceKind::network);
  TUTTI_CO_TRY(const std::vector<Ipv4Range> subnets, co_await choose_subnets(ownership.token));
  for (const Ipv4Range& subnet : subnets) {
    Json range = Json::object();
    range["Subnet"] = subnet.text();
    range["Gateway"] = format_ipv4(subnet.first + kGatewayOffset);
    for (std::uint32_t i = 0; i < kVirtualCount; ++i) {
      range["AuxiliaryAddresses"]["tutti-vip-" + std::to_string(i)] =
          format_ipv4(subnet.first + kFirstVirtualOffset + i);
    }
    Json body = Json::object();
    body["Name"] = object_name(ownership.token);
    body["Driver"] = "bridge";
    body["IPAM"]["Config"] = Json::array({std::move(range)});
    body["Labels"] = make_labels(ownership, kind::kNetwork);
    const Result<EngineAnswer> made = co_await api_.make("/networks/create", std::move(body));
    if (made) co_return co_await keep_oldest(ownership);
    if (made.error().code != "subnet_in_use") co_return made.error();
  }
  co_return Error(ErrorClass::capacity, "pool_exhausted",
                  "no /24 is free in the sandbox's pool " + options_.pool +
                      ": all touch routes of this machine or networks of the Docker engine");
}

net::awaitable<Result<std::vector<Ipv4Range>>> DockerProvider::choose_subnets(
    const CreateToken& token) {
  const auto pool = parse_range(options_.pool);
  if (!pool || pool->prefix > 24) {
    co_return Error(ErrorClass::invalid, "pool",
                    "the sandbox's pool is not an IPv4 range of a /24 or more: " + options_.pool);
  }
  TUTTI_CO_TRY(const EngineAnswer networks, co_await api_.get("/networks"));
  std::vector<Ipv4Range> used = host_routes();
  for (const Json& network : networks.body) {
    const Json::json_pointer place("/IPAM/Config");
    if (!network.contains(place) || !network.at(place).is_array()) continue;
    for (const Json& range : network.at(place)) {
      if (const auto subnet = parse_range(text_at(range, "/Subnet"))) used.push_back(*subnet);
    }
  }
  co_return free_subnets(*pool, used, token.value);
}

// The engine makes any number of networks of one name: what was made at the same moment elsewhere
// is seen only afterwards.
net::awaitable<Result<NativeId>> DockerProvider::keep_oldest(const Ownership& ownership) {
  TUTTI_CO_TRY(const Resources made, co_await find(ownership, ResourceKind::network));
  if (made.empty()) {
    co_return Error(ErrorClass::transient, "vanished", "the network just made has vanished");
  }
  for (std::size_t i = 1; i < made.size(); ++i) {
    const Result<void> removed = co_await api_.remove("/networks/" + made[i].native_id.value);
    if (!removed) co_return removed.error();
  }
  co_return made.front().native_id;
}

net::awaitable<Result<NativeId>> DockerProvider::create_virtual_address(
    const VirtualAddressSpec& spec, const Ownership& ownership) {
  const Gate::Permit alone = co_await address_gate_.enter();
  TUTTI_CO_TRY(const Resources before, co_await find(ownership, ResourceKind::virtual_address));
  if (!before.empty()) co_return exists_already(ResourceKind::virtual_address);
  TUTTI_CO_TRY(const std::string address, co_await choose_virtual_address(spec, ownership));
  const std::string name = object_name(ownership.token);
  Json labels = make_labels(ownership, kind::kVirtualAddress);
  labels[label::kAddress] = address;
  labels[label::kNetwork] = spec.network.native_id.value;
  Json body = Json::object();
  body["Name"] = name;
  body["Labels"] = std::move(labels);
  TUTTI_CO_TRY(const EngineAnswer made, co_await api_.make("/volumes/create", std::move(body)));
  if (!carries(labels_at(made.body), ownership)) {
    co_return Error(ErrorClass::conflict, "foreign_object",
                    "a volume " + name + " exists but is not ours: it is left alone");
  }
  co_return NativeId(name);
}

net::awaitable<Result<std::string>> DockerProvider::choose_virtual_address(
    const VirtualAddressSpec& spec, const Ownership& ownership) {
  const NativeId& id = spec.network.native_id;
  TUTTI_CO_TRY(const Json network, co_await owned_network(api_, id, ownership));
  const auto subnet = parse_range(text_at(network, "/IPAM/Config/0/Subnet"));
  if (!subnet) {
    co_return Error(ErrorClass::invalid, "network", "the network " + id.value + " has no range");
  }
  std::vector<std::string> labels{std::string(label::kNetwork) + "=" + id.value};
  TUTTI_CO_TRY(const Json volumes, co_await list_volumes(std::move(labels)));
  const Resources others = virtual_addresses_in(volumes);
  const auto is_taken = [&others](const std::string& address) {
    return std::any_of(others.begin(), others.end(), [&address](const Resource& other) {
      return other.attributes.at("ip_address") == address;
    });
  };
  std::vector<std::string> reserved;
  for (std::uint32_t i = 0; i < kVirtualCount; ++i) {
    reserved.push_back(format_ipv4(subnet->first + kFirstVirtualOffset + i));
  }
  if (spec.ip_address) {
    if (std::find(reserved.begin(), reserved.end(), *spec.ip_address) == reserved.end()) {
      co_return Error(ErrorClass::invalid, "address_outside",
                      "the virtual address " + *spec.ip_address + " is not between " +
                          reserved.front() + " and " + reserved.back() +
                          ", which this network keeps for them");
    }
    if (is_taken(*spec.ip_address)) {
      co_return Error(ErrorClass::invalid, "address_in_use",
                      "the virtual address " + *spec.ip_address + " is taken in this network");
    }
    co_return *spec.ip_address;
  }
  const auto free = std::find_if_not(reserved.begin(), reserved.end(), is_taken);
  if (free == reserved.end()) {
    co_return Error(ErrorClass::capacity, "addresses",
                    "a network of the sandbox has " + std::to_string(kVirtualCount) +
                        " virtual addresses, and all are taken");
  }
  co_return *free;
}

net::awaitable<Result<Json>> DockerProvider::list(std::string path,
                                                  std::vector<std::string> labels) {
  const char* const separator = path.find('?') == std::string::npos ? "?" : "&";
  TUTTI_CO_TRY(EngineAnswer answer, co_await api_.get(path + separator + label_filter(labels)));
  Result<Json> result(boost::system::in_place_value, std::move(answer.body));
  co_return result;
}

net::awaitable<Result<Json>> DockerProvider::list_volumes(std::vector<std::string> labels) {
  TUTTI_CO_TRY(const Json answer, co_await list("/volumes", std::move(labels)));
  Json volumes = answer.is_object() ? answer.value("Volumes", Json()) : Json();
  Result<Json> result(boost::system::in_place_value, std::move(volumes));
  co_return result;
}

Resources DockerProvider::instances(const Json& containers, const Json& volumes) const {
  Resources found = instances_in(containers, volumes);
  for (Resource& instance : found) {
    if (maker_.is_making(instance.ownership.token)) instance.attributes.erase(kIncomplete);
  }
  return found;
}

net::awaitable<Result<Resources>> DockerProvider::find(const Ownership& ownership,
                                                       ResourceKind kind) {
  std::vector<std::string> labels =
      label_terms(ownership.owner, ownership.deployment, ownership.token);
  Resources found;
  if (kind == ResourceKind::network) {
    TUTTI_CO_TRY(const Json networks, co_await list("/networks", std::move(labels)));
    found = networks_in(networks);
  } else if (kind == ResourceKind::virtual_address) {
    TUTTI_CO_TRY(const Json volumes, co_await list_volumes(std::move(labels)));
    found = virtual_addresses_in(volumes);
  } else if (kind == ResourceKind::instance) {
    TUTTI_CO_TRY(const Json containers, co_await list("/containers/json?all=1", labels));
    TUTTI_CO_TRY(const Json volumes, co_await list_volumes(std::move(labels)));
    found = instances(containers, volumes);
  }
  sort_oldest_first(found);
  co_return found;
}

net::awaitable<Result<Resources>> DockerProvider::list_owned(const OwnerId& owner,
                                                             const DeploymentId& deployment) {
  std::vector<std::string> labels = label_terms(owner, deployment, CreateToken());
  TUTTI_CO_TRY(const Json containers, co_await list("/containers/json?all=1", labels));
  TUTTI_CO_TRY(const Json networks, co_await list("/networks", labels));
  TUTTI_CO_TRY(const Json volumes, co_await list_volumes(std::move(labels)));
  Resources found = instances(containers, volumes);
  for (Resource& network : networks_in(networks)) found.push_back(std::move(network));
  for (Resource& address : virtual_addresses_in(volumes)) found.push_back(std::move(address));
  sort_oldest_first(found);
  co_return found;
}

net::awaitable<Result<void>> DockerProvider::set_power(const Resource& resource, Power power) {
  if (resource.kind != ResourceKind::instance) {
    co_return Error(ErrorClass::invalid, "kind", "only instances are powered on and off");
  }
  const std::string path = container_path(resource.native_id.value);
  TUTTI_CO_TRY(const EngineAnswer container, co_await api_.get(path + "/json"));
  if (!carries(labels_at(container.body, "/Config/Labels"), resource.ownership)) {
    co_return not_ours(resource);
  }
  if (text_at(container.body, "/State/Status") == "created") {
    co_return Error(ErrorClass::conflict, "incomplete", "this instance is not created yet");
  }
  const std::string ours = "/containers/" + text_at(container.body, "/Id");
  const Result<EngineAnswer> done =
      co_await api_.post(ours + (power == Power::on ? "/start" : "/stop?t=10"));
  if (!done) co_return done.error();
  co_return Result<void>();
}

net::awaitable<Result<void>> DockerProvider::destroy(const Resource& resource) {
  const std::string id = percent_encode(resource.native_id.value);
  switch (resource.kind) {
    case ResourceKind::instance:
      co_return co_await destroy_instance(resource);
    case ResourceKind::network:
      co_return co_await destroy_object(resource, "/networks/" + id);
    case ResourceKind::virtual_address:
      co_return co_await destroy_object(resource, "/volumes/" + id);
    default:
      break;
  }
  co_return Error(ErrorClass::invalid, "kind",
                  "the sandbox has no " + std::string(to_string(resource.kind)));
}

net::awaitable<Result<void>> DockerProvider::destroy_instance(const Resource& resource) {
  const CreateToken& token = resource.ownership.token;
  if (token.value.empty() || resource.native_id.value != object_name(token)) {
    co_return not_ours(resource);
  }
  TUTTI_CO_TRY(const std::size_t removed, co_await maker_.remove(resource.ownership));
  if (removed > 0) co_return Result<void>();
  // Nothing was ours: either all is gone, or something else has the name.
  const std::array<std::string, 2> places{container_path(resource.native_id.value) + "/json",
                                          "/volumes/" + percent_encode(resource.native_id.value)};
  for (const std::string& path : places) {
    const Result<EngineAnswer> foreign = co_await api_.get(path);
    if (foreign) co_return not_ours(resource);
    if (foreign.error().cls != ErrorClass::not_found) co_return foreign.error();
  }
  co_return Result<void>();
}

net::awaitable<Result<void>> DockerProvider::destroy_object(const Resource& resource,
                                                            std::string path) {
  const Result<EngineAnswer> object = co_await api_.get(path);
  if (!object) {
    if (object.error().cls == ErrorClass::not_found) co_return Result<void>();
    co_return object.error();
  }
  if (!carries(labels_at(object->body), resource.ownership)) {
    co_return not_ours(resource);
  }
  co_return co_await api_.remove(std::move(path));
}

}  // namespace
}  // namespace docker

std::unique_ptr<Provider> make_docker_provider(const DockerOptions& options, HttpClient& http,
                                               Clock& /* nothing here waits by the clock */) {
  return std::make_unique<docker::DockerProvider>(options, http);
}

}  // namespace tutti
