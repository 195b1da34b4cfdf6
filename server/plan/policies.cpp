// Policies that bear on a plan.
#include "server/plan/draft.hpp"

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

}  // namespace

void check_policies(Draft& draft) {
  for (const tosca::Policy& policy : draft.desired.policies) {
    bool odd = policy.type == kOddMembers;
    for (const std::string& type : policy.ancestry) odd = odd || type == kOddMembers;
    if (!odd) {
      draft.warn("policy.ignored", policy.span,
                 "policy '" + policy.name + "' of type " + policy.type +
                     " has no effect here: there is one site to place on");
      continue;
    }
    for (const std::string& target : policy.targets) check_odd(draft, policy, target);
  }
}

}  // namespace tutti::plan
