#include "providers/docker/objects.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

namespace tutti::docker {
namespace {

Ownership ownership_in(const Json& labels) {
  Ownership ownership;
  ownership.owner = OwnerId(label_of(labels, label::kOwner));
  ownership.deployment = DeploymentId(label_of(labels, label::kDeployment));
  ownership.token = CreateToken{label_of(labels, label::kToken)};
  return ownership;
}

ResourceState state_of_container(const std::string& state) {
  if (state == "created") return ResourceState::building;
  if (state == "exited") return ResourceState::stopped;
  if (state == "removing" || state == "dead") return ResourceState::deleting;
  // running, paused, restarting (a reboot from inside): powered on, whether it answers or not.
  return ResourceState::active;
}

WallTime time_at(const Json& object, const char* pointer) {
  return parse_engine_time(text_at(object, pointer)).value_or(WallTime{});
}

Resource make_resource(ResourceKind kind, NativeId id, const Json& labels) {
  Resource resource;
  resource.kind = kind;
  resource.native_id = std::move(id);
  resource.ownership = ownership_in(labels);
  return resource;
}

// Until its container has started an instance is in the making, or what is left of one.
Resource make_incomplete(const Json& labels, WallTime created_at) {
  const std::string name = object_name(CreateToken{label_of(labels, label::kToken)});
  Resource resource = make_resource(ResourceKind::instance, NativeId(name), labels);
  resource.created_at = created_at;
  resource.attributes[kIncomplete] = "true";
  return resource;
}

Resource make_instance(const Json& container) {
  const Json& labels = labels_at(container);
  const WallTime created_at{std::chrono::seconds(number_at(container, "/Created", 0))};
  Resource resource = make_incomplete(labels, created_at);
  resource.state = state_of_container(text_at(container, "/State"));
  if (resource.state != ResourceState::building) resource.attributes.erase(kIncomplete);
  const std::string address = label_of(labels, label::kAddress);
  resource.attributes["private_address"] = address;
  resource.attributes["public_address"] = address;  // the bridge's, all the sandbox has
  resource.attributes["ssh_port"] = "22";
  const std::string warning = label_of(labels, label::kImageWarning);
  if (!warning.empty()) resource.attributes["image_warning"] = warning;
  return resource;
}

template <class Visit>
void each_of_kind(const Json& objects, std::string_view wanted, const Visit& visit) {
  if (!objects.is_array()) return;
  for (const Json& object : objects) {
    const Json& labels = labels_at(object);
    if (label_of(labels, label::kKind) == wanted) visit(object, labels);
  }
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int number = 0;
  const char* const end = text.data() + at + count;
  const auto [stopped, error] = std::from_chars(text.data() + at, end, number);
  if (error != std::errc() || stopped != end || number < 0) return std::nullopt;
  return number;
}

// "Z", "+02:00", "-0330": minutes east of UTC.
std::optional<int> parse_offset(std::string_view text) {
  if (text == "Z") return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, text.size() > 3 && text[3] == ':' ? 4 : 3, 2);
  if (!hours || !minutes) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (*hours * 60 + *minutes);
}

}  // namespace

std::string object_name(const CreateToken& token) {
  return "tutti-" + token.value;
}

Json make_labels(const Ownership& ownership, const char* kind) {
  Json labels = Json::object();
  labels[label::kOwner] = ownership.owner.value;
  labels[label::kDeployment] = ownership.deployment.value;
  labels[label::kToken] = ownership.token.value;
  labels[label::kKind] = kind;
  return labels;
}

std::vector<std::string> label_terms(const OwnerId& owner, const DeploymentId& deployment,
                                     const CreateToken& token) {
  std::vector<std::string> terms{std::string(label::kOwner) + "=" + owner.value};
  if (!deployment.empty()) {
    terms.push_back(std::string(label::kDeployment) + "=" + deployment.value);
  }
  if (!token.value.empty()) terms.push_back(std::string(label::kToken) + "=" + token.value);
  return terms;
}

const Json& labels_at(const Json& object, const char* pointer) {
  static const Json nothing = Json::object();
  const Json::json_pointer place(pointer);
  return object.contains(place) && object.at(place).is_object() ? object.at(place) : nothing;
}

std::string label_of(const Json& labels, const char* name) {
  if (!labels.is_object()) return {};
  const auto found = labels.find(name);
  return found != labels.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool carries(const Json& labels, const Ownership& ownership) {
  return !ownership.token.value.empty() &&
         label_of(labels, label::kOwner) == ownership.owner.value &&
         label_of(labels, label::kDeployment) == ownership.deployment.value &&
         label_of(labels, label::kToken) == ownership.token.value;
}

std::optional<WallTime> parse_engine_time(std::string_view text) {
  using namespace std::chrono;
  const auto year_number = digits(text, 0, 4);
  const auto month_number = digits(text, 5, 2);
  const auto day_number = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!year_number || !month_number || !day_number || !hour || !minute || !second) {
    return std::nullopt;
  }
  text.remove_prefix(19);
  int fraction = 0;  // of milliseconds
  if (text.starts_with('.')) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    std::string decimals(text.substr(1, end - 1));
    decimals.resize(3, '0');
    fraction = digits(decimals, 0, 3).value_or(0);
    text.remove_prefix(end);
  }
  const auto offset = parse_offset(text);
  const year_month_day date{year(*year_number), month(static_cast<unsigned>(*month_number)),
                            day(static_cast<unsigned>(*day_number))};
  if (!offset || !date.ok()) return std::nullopt;
  return WallTime(sys_days(date).time_since_epoch() + hours(*hour) + minutes(*minute - *offset) +
                  seconds(*second) + milliseconds(fraction));
}

std::vector<Resource> instances_in(const Json& containers, const Json& volumes) {
  std::map<CreateToken, Resource> by_token;
  each_of_kind(containers, kind::kInstance, [&by_token](const Json& object, const Json&) {
    Resource instance = make_instance(object);
    const CreateToken token = instance.ownership.token;
    by_token.insert_or_assign(token, std::move(instance));
  });
  const auto add_rest = [&by_token](const Json& labels, WallTime created_at) {
    Resource rest = make_incomplete(labels, created_at);
    const CreateToken token = rest.ownership.token;
    by_token.try_emplace(token, std::move(rest));
  };
  each_of_kind(volumes, kind::kInstanceVolume, [&](const Json& object, const Json& labels) {
    add_rest(labels, time_at(object, "/CreatedAt"));
  });
  each_of_kind(containers, kind::kHelper, [&](const Json& object, const Json& labels) {
    add_rest(labels, WallTime(std::chrono::seconds(number_at(object, "/Created", 0))));
  });
  std::vector<Resource> found;
  for (auto& [token, resource] : by_token) found.push_back(std::move(resource));
  return found;
}

std::vector<Resource> virtual_addresses_in(const Json& volumes) {
  std::vector<Resource> found;
  each_of_kind(volumes, kind::kVirtualAddress, [&found](const Json& object, const Json& labels) {
    Resource resource =
        make_resource(ResourceKind::virtual_address, NativeId(text_at(object, "/Name")), labels);
    resource.state = ResourceState::active;
    resource.created_at = time_at(object, "/CreatedAt");
    resource.attributes["ip_address"] = label_of(labels, label::kAddress);
    found.push_back(std::move(resource));
  });
  return found;
}

std::vector<Resource> networks_in(const Json& networks) {
  std::vector<Resource> found;
  each_of_kind(networks, kind::kNetwork, [&found](const Json& object, const Json& labels) {
    Resource resource =
        make_resource(ResourceKind::network, NativeId(text_at(object, "/Id")), labels);
    resource.state = ResourceState::active;
    resource.created_at = time_at(object, "/Created");
    resource.attributes["cidr"] = text_at(object, "/IPAM/Config/0/Subnet");
    resource.attributes["gateway"] = text_at(object, "/IPAM/Config/0/Gateway");
    found.push_back(std::move(resource));
  });
  return found;
}

void sort_oldest_first(std::vector<Resource>& resources) {
  std::sort(resources.begin(), resources.end(), [](const Resource& a, const Resource& b) {
    return std::tie(a.created_at, a.native_id) < std::tie(b.created_at, b.native_id);
  });
}

}  // namespace tutti::docker
