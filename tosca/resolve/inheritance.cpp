// Third phase: a type's members with everything that its ancestors contribute.
#include "tosca/resolve/model.hpp"

#include <algorithm>

namespace tutti::tosca::resolution {

namespace {

std::vector<const Type*> ancestors_first(const Type& type) {
  std::vector<const Type*> chain;
  for (const Type* at = &type; at != nullptr; at = at->parent) chain.push_back(at);
  std::reverse(chain.begin(), chain.end());
  return chain;
}

void add_properties(PropertyMap& all, const std::vector<PropertyDefinition>& own) {
  for (const PropertyDefinition& property : own) {
    const auto known = all.find(property.name);
    if (known == all.end()) {
      all.emplace(property.name, property);
    } else {
      known->second = refine(known->second, property);
    }
  }
}

PropertyMap inherited_attributes(const Type& type) {
  PropertyMap all;
  for (const Type* at : ancestors_first(type)) add_properties(all, at->definition->attributes);
  return all;
}

CapabilityMembers make_capability(Resolution& resolution,
                                  const grammar::CapabilityDefinition& written,
                                  const CapabilityMembers* inherited) {
  CapabilityMembers made;
  made.name = written.name;
  if (written.type != nullptr) {
    made.type = resolution.units.find(TypeKind::capability, *written.type);
  } else if (inherited != nullptr) {
    made.type = inherited->type;
  }
  if (made.type != nullptr) {
    made.properties = inherited_properties(*made.type);
    made.attributes = inherited_attributes(*made.type);
    made.valid_sources = made.type->definition->valid_types;
  }
  if (inherited != nullptr) {
    // Refinements made on the definition (not on the capability's type) go on too.
    for (const auto& [name, property] : inherited->properties) {
      made.properties.try_emplace(name, property);
    }
    for (const auto& [name, attribute] : inherited->attributes) {
      made.attributes.try_emplace(name, attribute);
    }
  }
  add_properties(made.properties, written.properties);
  add_properties(made.attributes, written.attributes);
  if (!written.valid_source_types.empty()) made.valid_sources = written.valid_source_types;
  return made;
}

void add_capabilities(Resolution& resolution, Members& members, const Type& type) {
  for (const grammar::CapabilityDefinition& written : type.definition->capabilities) {
    const auto known =
        std::find_if(members.capabilities.begin(), members.capabilities.end(),
                     [&](const CapabilityMembers& member) { return member.name == written.name; });
    if (known == members.capabilities.end()) {
      members.capabilities.push_back(make_capability(resolution, written, nullptr));
    } else {
      *known = make_capability(resolution, written, &*known);
    }
  }
}

// A requirement of an inherited name takes its place; its order among the others stays.
void add_requirements(Members& members, const Type& type) {
  const std::size_t inherited = members.requirements.size();
  for (const grammar::RequirementDefinition& written : type.definition->requirements) {
    const auto end = members.requirements.begin() + static_cast<std::ptrdiff_t>(inherited);
    const auto known = std::find_if(
        members.requirements.begin(), end,
        [&](const grammar::RequirementDefinition& r) { return r.name == written.name; });
    if (known == end) {
      members.requirements.push_back(written);
    } else {
      *known = written;
    }
  }
}

void add_artifacts(Members& members, const Type& type) {
  for (const grammar::ArtifactDefinition& written : type.definition->artifacts) {
    const auto known =
        std::find_if(members.artifacts.begin(), members.artifacts.end(),
                     [&](const grammar::ArtifactDefinition& a) { return a.name == written.name; });
    if (known == members.artifacts.end()) {
      members.artifacts.push_back(written);
    } else {
      *known = written;
    }
  }
}

}  // namespace

PropertyDefinition refine(const PropertyDefinition& inherited, const PropertyDefinition& own) {
  PropertyDefinition refined = own;
  if (refined.type == nullptr) refined.type = inherited.type;
  const bool same_type = refined.type != nullptr && inherited.type != nullptr &&
                         refined.type->text == inherited.type->text;
  if (!same_type) return refined;
  if (refined.entry == nullptr) refined.entry = inherited.entry;
  if (refined.key == nullptr) refined.key = inherited.key;
  if (refined.default_value == nullptr) refined.default_value = inherited.default_value;
  if (own.node->is_mapping() && own.node->find("required") == nullptr) {
    refined.required = inherited.required;
  }
  refined.secret = own.secret || inherited.secret;
  if (refined.unsupported.empty()) refined.unsupported = inherited.unsupported;
  refined.constraints.insert(refined.constraints.begin(), inherited.constraints.begin(),
                             inherited.constraints.end());
  return refined;
}

PropertyMap inherited_properties(const Type& type) {
  PropertyMap all;
  for (const Type* at : ancestors_first(type)) add_properties(all, at->definition->properties);
  return all;
}

Members inherit(Resolution& resolution, const Type& type) {
  Members members;
  members.properties = inherited_properties(type);
  members.attributes = inherited_attributes(type);
  for (const Type* at : ancestors_first(type)) {
    add_capabilities(resolution, members, *at);
    add_requirements(members, *at);
    add_artifacts(members, *at);
    for (const grammar::Interface& written : at->definition->interfaces) {
      members.interfaces.push_back(&written);
    }
  }
  return members;
}

}  // namespace tutti::tosca::resolution
