#include "tosca/resolve/model.hpp"

#include <array>
#include <utility>

namespace tutti::tosca::resolution {

namespace {

constexpr std::array<std::pair<std::string_view, Primitive>, 20> kPrimitives{{
    {"string", Primitive::string},
    {"integer", Primitive::integer},
    {"float", Primitive::floating},
    {"boolean", Primitive::boolean},
    {"timestamp", Primitive::timestamp},
    {"version", Primitive::version},
    {"tosca:version", Primitive::version},
    {"range", Primitive::range},
    {"tosca:range", Primitive::range},
    {"list", Primitive::list},
    {"tosca:list", Primitive::list},
    {"map", Primitive::map},
    {"tosca:map", Primitive::map},
    {"scalar-unit.size", Primitive::size},
    {"scalar-unit.time", Primitive::time},
    {"scalar-unit.frequency", Primitive::frequency},
    {"scalar-unit.bitrate", Primitive::bitrate},
    {"any", Primitive::any},
    {"null", Primitive::any},
    {"tosca:null", Primitive::any},
}};

}  // namespace

Primitive primitive_from(std::string_view name) {
  for (const auto& [known, primitive] : kPrimitives) {
    if (known == name) return primitive;
  }
  return Primitive::none;
}

std::string_view to_string(Primitive primitive) {
  for (const auto& [name, known] : kPrimitives) {
    if (known == primitive) return name;
  }
  return "data type";
}

const CapabilityMembers* Members::capability(std::string_view name) const {
  for (const CapabilityMembers& member : capabilities) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

Resolution::Resolution(const ResolveRequest& asked, ResolveResult& answer, const Units& all)
    : request(asked), result(answer), units(all) {}

void Resolution::error(std::string rule, const Node& at, std::string message, std::string hint) {
  result.diagnostics.push_back(
      {Severity::error, std::move(rule), at.span(), std::move(message), std::move(hint)});
}

void Resolution::warning(std::string rule, const Node& at, std::string message, std::string hint) {
  result.diagnostics.push_back(
      {Severity::warning, std::move(rule), at.span(), std::move(message), std::move(hint)});
}

const Members& Resolution::members(const Type& type) {
  if (const auto known = members_.find(&type); known != members_.end()) return *known->second;
  auto made = std::make_unique<Members>(inherit(*this, type));
  return *members_.emplace(&type, std::move(made)).first->second;
}

NodeModel* Resolution::node(std::string_view name) const {
  const auto found = node_by_name.find(name);
  return found == node_by_name.end() ? nullptr : found->second;
}

}  // namespace tutti::tosca::resolution
