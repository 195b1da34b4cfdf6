// What Ansible is told, as data: never by pasting text. Every string that holds a template marker
// is marked unsafe, so that nothing a user typed is ever evaluated. Names of hosts and groups are
// those of node templates, which the plan keeps to letters that Ansible reads as they are.
#pragma once

#include "server/bootstrap/bootstrap.hpp"

#include <string>

namespace tutti::bootstrap {

// JSON inventory: group `targets`, and one group for each node template that has hosts.
[[nodiscard]] std::string inventory_json(const Run& run);
// JSON of extra variables. SecretRefs do not occur: the engine has evaluated them.
[[nodiscard]] std::string vars_json(const tosca::Map& vars);
// OpenSSH's known_hosts for all hosts of the run.
[[nodiscard]] std::string known_hosts(const Run& run);

}  // namespace tutti::bootstrap
