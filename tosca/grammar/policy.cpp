#include "tosca/grammar/policy.hpp"

namespace tutti::tosca::grammar {

Policy read_policy(Reader& reader, const Entry& entry) {
  Policy policy;
  policy.name = std::string(entry.key->text);
  policy.key = entry.key;
  policy.node = entry.value;
  static const Keys keys{"type",       "description", "metadata",
                         "properties", "targets",     {"triggers", Version::simple_1_1}};
  const Fields fields(reader, *entry.value, "a policy", keys);
  fields.require("type");
  fields.check_metadata();
  policy.type = fields.scalar("type");
  policy.properties = fields.named("properties");
  policy.targets = fields.scalars("targets");
  return policy;
}

Group read_group(Reader& reader, const Entry& entry) {
  Group group;
  group.name = std::string(entry.key->text);
  group.key = entry.key;
  group.node = entry.value;
  static const Keys keys{"type",       "description", "metadata",   "properties",
                         "attributes", "members",     "interfaces", "targets"};
  const Fields fields(reader, *entry.value, "a group", keys);
  fields.require("type");
  fields.check_metadata();
  group.type = fields.scalar("type");
  group.properties = fields.named("properties");
  group.members = fields.scalars("members");
  return group;
}

}  // namespace tutti::tosca::grammar
