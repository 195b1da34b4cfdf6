// The part of a deployment's request that is shown again, and all of it that the view keeps. The
// API writes the request record (server/api/deployment_request.hpp) and the engine keeps it sealed;
// parameters in it, which may be secret, are never read here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tutti::view {

struct RequestFacts {
  std::string callback;
  std::string user_group;
  std::string issuer;
  std::string subject;                // both empty: anonymous
  std::vector<std::string> warnings;  // what was tolerated at POST, one line each
};

// Members that are missing or of another type stay empty: a record of a newer version still shows.
[[nodiscard]] RequestFacts read_request_facts(std::string_view record_json);

}  // namespace tutti::view
