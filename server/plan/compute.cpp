// Reads a Compute's capabilities (host, os, endpoint) into the cloud's words.
#include "server/plan/draft.hpp"
#include "server/plan/expressions.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

namespace tutti::plan {

namespace {

// One capability of one node, with its complaints.
class Reader {
 public:
  Reader(Draft& draft, const tosca::NodeTemplate& node, const std::string& capability)
      : draft_(draft), node_(node), capability_(capability) {
    const auto found = node.capabilities.find(capability);
    if (found != node.capabilities.end()) properties_ = &found->second.properties;
  }

  // Null when the property is absent or wrong.
  [[nodiscard]] tosca::Value value(const std::string& property) {
    if (properties_ == nullptr) return {};
    const auto found = properties_->find(property);
    if (found == properties_->end()) return {};
    if (auto literal = literal_of(found->second)) return *literal;
    draft_.error(
        "plan.not-literal", node_.span,
        place(property) + " depends on an attribute, and must be known before anything runs",
        "give a value or use get_input");
    return {};
  }

  [[nodiscard]] std::string text(const std::string& property) {
    const tosca::Value found = value(property);
    if (found.is_null()) return {};
    if (const std::string* text = found.as_string()) return *text;
    if (const std::int64_t* number = found.as_integer()) return std::to_string(*number);
    wrong(property, "a string");
    return {};
  }

  [[nodiscard]] std::int64_t size(const std::string& property) {
    const tosca::Value found = value(property);
    if (found.is_null()) return 0;
    const std::int64_t bytes = size_bytes(found);
    if (bytes >= 0) return bytes;
    wrong(property, "a size such as 2 GB");
    return 0;
  }

  void wrong(const std::string& property, const std::string& expected) {
    draft_.error("plan.property", node_.span, place(property) + " is not " + expected);
  }

 private:
  [[nodiscard]] std::string place(const std::string& property) const {
    return "node '" + node_.name + "', capability " + capability_ + ": " + property;
  }

  Draft& draft_;
  const tosca::NodeTemplate& node_;
  std::string capability_;
  const tosca::ExpressionMap* properties_ = nullptr;
};

std::optional<std::int64_t> whole_number(const tosca::Value& value) {
  if (const std::int64_t* number = value.as_integer()) return *number;
  if (const double* number = std::get_if<double>(&value.data)) {
    if (!(*number > 0) || *number > 1e6) return std::nullopt;
    return static_cast<std::int64_t>(std::ceil(*number));
  }
  if (const std::string* text = value.as_string()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error == std::errc{} && end == text->data() + text->size()) return number;
  }
  return std::nullopt;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// The first label of a name in RFC 1123's letters, with room for "-" and an ordinal; empty when
// nothing usable is left.
std::string host_label(const std::string& name) {
  constexpr std::size_t kLongest = 63 - 5;
  std::string label;
  for (const char c : lower(name.substr(0, name.find('.')))) {
    const bool usable = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (usable) {
      label += c;
    } else if (!label.empty()) {
      label += '-';
    }
  }
  label.resize(std::min(label.size(), kLongest));
  while (!label.empty() && label.back() == '-') label.pop_back();
  return label;
}

std::optional<std::uint16_t> port_number(const tosca::Value& value) {
  const auto number = whole_number(value);
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

const tosca::Value* member(const tosca::Map& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() || found->second.is_null() ? nullptr : &found->second;
}

std::optional<PortRule> port_rule(const tosca::Value& value) {
  const tosca::Map* map = value.as_map();
  if (map == nullptr) return std::nullopt;
  PortRule rule;
  if (const tosca::Value* protocol = member(*map, "protocol")) {
    if (protocol->as_string() == nullptr) return std::nullopt;
    rule.protocol = lower(*protocol->as_string());
  }
  for (const char* side : {"source", "target"}) {
    if (const tosca::Value* port = member(*map, side)) {
      const auto number = port_number(*port);
      if (!number) return std::nullopt;
      rule.first = rule.last = *number;
      return rule;
    }
    const tosca::Value* range = member(*map, std::string(side) + "_range");
    if (range == nullptr) continue;
    const tosca::List* ends = range->as_list();
    if (ends == nullptr || ends->size() != 2) return std::nullopt;
    const auto first = port_number(ends->front());
    const auto last = port_number(ends->back());
    if (!first || !last || *first > *last) return std::nullopt;
    rule.first = *first;
    rule.last = *last;
    return rule;
  }
  return std::nullopt;
}

std::vector<PortRule> ports_of(Draft& draft, const tosca::NodeTemplate& node) {
  Reader endpoint(draft, node, "endpoint");
  std::vector<PortRule> rules;
  const tosca::Value ports = endpoint.value("ports");
  if (ports.is_null()) return rules;
  const tosca::Map* map = ports.as_map();
  if (map == nullptr) {
    endpoint.wrong("ports", "a map of ports");
    return rules;
  }
  for (const auto& [name, value] : *map) {
    if (auto rule = port_rule(value)) {
      rules.push_back(std::move(*rule));
    } else {
      endpoint.wrong("ports." + name,
                     "a port: protocol and source (1 to 65535) or source_range [first, last]");
    }
  }
  return rules;
}

ImageQuery image_of(Draft& draft, const tosca::NodeTemplate& node) {
  Reader os(draft, node, "os");
  ImageQuery query;
  query.image = os.text("image");
  query.type = os.text("type");
  query.distribution = os.text("distribution");
  query.version = os.text("version");
  query.architecture = os.text("architecture");
  return query;
}

// The sandbox has one image; everything else is promised nowhere.
void warn_of_image(Draft& draft, const tosca::NodeTemplate& node, const ImageQuery& query) {
  if (draft.site.provider != "docker") return;
  const std::string distribution = lower(query.distribution);
  const bool fits =
      query.image.empty() && (distribution.empty() || distribution == "debian") &&
      (query.version.empty() || query.version == "12" || query.version.starts_with("12."));
  if (fits) return;
  std::string asked = query.image;
  if (asked.empty())
    asked = query.distribution + (query.version.empty() ? "" : " ") + query.version;
  draft.warn("site.image", node.span,
             "node '" + node.name + "' asks for " + asked +
                 ": the sandbox's image (Debian 12) is used instead");
}

std::int64_t cpus_of(Draft& draft, const tosca::NodeTemplate& node) {
  Reader host(draft, node, "host");
  const tosca::Value value = host.value("num_cpus");
  if (value.is_null()) return 1;
  const auto cpus = whole_number(value);
  if (!cpus || *cpus < 1) {
    host.wrong("num_cpus", "a number of processors from 1");
    return 1;
  }
  const std::int64_t most = draft.site.capabilities.max_cpus;
  if (most == 0 || *cpus <= most) return *cpus;
  draft.warn("site.cpus", node.span,
             "node '" + node.name + "' asks for " + std::to_string(*cpus) +
                 " processors and gets " + std::to_string(most) + ", all that the site has");
  return most;
}

}  // namespace

InstanceSpec machine_of(Draft& draft, const tosca::NodeTemplate& node) {
  InstanceSpec spec;
  spec.image = image_of(draft, node);
  warn_of_image(draft, node, spec.image);
  spec.num_cpus = cpus_of(draft, node);
  Reader host(draft, node, "host");
  spec.mem_size_bytes = host.size("mem_size");
  spec.disk_size_bytes = host.size("disk_size");
  spec.instance_type = host.text("instance_type");
  Reader endpoint(draft, node, "endpoint");
  const std::string network = endpoint.text("network_name");
  spec.public_address = network.find("PUBLIC") != std::string::npos;
  spec.ports = ports_of(draft, node);
  return spec;
}

// dns_name may be one name, or a list with one for each ordinal (as CLUES sends).
std::vector<std::string> hostnames_of(Draft& draft, const tosca::NodeTemplate& node,
                                      const std::vector<int>& ordinals) {
  Reader endpoint(draft, node, "endpoint");
  const tosca::Value given = endpoint.value("dns_name");
  const tosca::List* each = given.as_list();
  const std::string* one = given.as_string();
  if (one != nullptr && one->empty()) one = nullptr;
  if (one != nullptr && host_label(*one).empty()) endpoint.wrong("dns_name", "a host name");
  if (!given.is_null() && each == nullptr && given.as_string() == nullptr) {
    endpoint.wrong("dns_name", "a host name or a list of them");
  }
  const std::string base = host_label(one != nullptr ? *one : node.name);
  std::vector<std::string> hostnames;
  for (const int ordinal : ordinals) {
    const auto place = static_cast<std::size_t>(ordinal);
    std::string label;
    if (each != nullptr && place < each->size() && (*each)[place].as_string() != nullptr) {
      label = host_label(*(*each)[place].as_string());
    }
    if (label.empty() && one != nullptr && ordinals.size() == 1) label = base;
    if (label.empty()) label = (base.empty() ? "node" : base) + "-" + std::to_string(ordinal);
    hostnames.push_back(std::move(label));
  }
  return hostnames;
}

}  // namespace tutti::plan
