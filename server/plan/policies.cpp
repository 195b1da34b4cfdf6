// Policies that bear on a plan.
#include "server/plan/draft.hpp"
#include "server/plan/expressions.hpp"

#include <algorithm>
#include <array>

namespace tutti::plan {

namespace {

void check_odd(Draft& draft, const tosca::Policy& policy, const std::string& target) {
  const auto found = draft.nodes.find(target);
  if (found == draft.nodes.end()) return;
  const std::size_t members = found->second.ordinals.size();
  if (members % 2 == 1) return;
  const std::string head = "policy '" + policy.name + "': node '" + target + "' has ";
  if (members == 0) {
    draft.error("policy.odd-members", found->second.definition->span,
                head + "no members, so that nobody could lead",
                "set its count to 1, or to 3 to survive the loss of one");
    return;
  }
  const std::size_t quorum = members / 2 + 1;
  const std::size_t spare = members - quorum;
  draft.error("policy.odd-members", found->second.definition->span,
              head + std::to_string(members) + " members: a majority of them is " +
                  std::to_string(quorum) + ", so that they survive the loss of " +
                  (spare == 0 ? std::string("none") : std::to_string(spare)) + ", no more than " +
                  std::to_string(members - 1) + " would",
              "set its count to " + std::to_string(members - 1) + ", or to " +
                  std::to_string(members + 1) + " to survive the loss of " +
                  std::to_string(spare + 1));
}

// INDIGO's words for a place: a cloud, or an agreement with one.
constexpr std::array kPlaces{"cloud_id", "sla_id"};

// A policy may name where its targets belong. There is one site, so it must be that one: a cluster
// that somebody wants on a certain cloud is not deployed elsewhere without a word.
void check_placement(Draft& draft, const tosca::Policy& policy) {
  for (const char* place : kPlaces) {
    const auto property = policy.properties.find(place);
    if (property == policy.properties.end()) continue;
    const auto value = literal_of(property->second);
    const std::string* wanted = value ? value->as_string() : nullptr;
    if (wanted == nullptr || wanted->empty() || *wanted == draft.site.name.value) continue;
    draft.error(std::string(kMissingSite), policy.span,
                "policy '" + policy.name + "' places its targets by " + place + " '" + *wanted +
                    "', and that site is missing here: the only one is '" + draft.site.name.value +
                    "' (" + draft.site.provider + ")",
                "name that site, or leave the policy out");
  }
}

bool is_of(const tosca::Policy& policy, std::string_view type) {
  return policy.type == type ||
         std::find(policy.ancestry.begin(), policy.ancestry.end(), type) != policy.ancestry.end();
}

}  // namespace

void check_policies(Draft& draft) {
  for (const tosca::Policy& policy : draft.desired.policies) {
    if (is_of(policy, kOddMembers)) {
      for (const std::string& target : policy.targets) check_odd(draft, policy, target);
    } else if (is_of(policy, kPlacement)) {
      check_placement(draft, policy);
    } else {
      draft.warn("policy.ignored", policy.span,
                 "policy '" + policy.name + "' of type " + policy.type + " has no effect here");
    }
  }
}

}  // namespace tutti::plan
