#include "server/api/service_info.hpp"

#include "providers/base/json_writer.hpp"

#include <array>
#include <unistd.h>

namespace tutti::api {
namespace {

// Clients cut build.version at the first "-" and compare it with 2.2.0 to learn which contract is
// spoken: so it names INDIGO's contract first (2.8.0, its last tag), then who speaks it.
constexpr const char* kVersion = "2.8.0-tutti-" TUTTI_VERSION;

std::string hostname() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

std::string render_info() {
  JsonWriter writer;
  writer.begin_object();
  writer.key("build").begin_object();
  writer.member("version", kVersion).member("artifact", "orchestrator");
  writer.member("name", "Tutti").member("group", "tutti");
  writer.member("time", TUTTI_BUILD_TIME).end_object();
  writer.key("git").begin_object().member("branch", TUTTI_BRANCH);
  writer.key("commit").begin_object();
  writer.member("id", TUTTI_REVISION).member("time", TUTTI_REVISION_TIME).end_object().end_object();
  // The shape of INDIGO's first version, for its clients.
  writer.member("projectVersion", kVersion).member("projectRevision", TUTTI_REVISION);
  writer.member("projectTimestamp", TUTTI_BUILD_TIME).member("serverHostname", hostname());
  writer.end_object();
  return writer.take();
}

std::string render_configuration(const std::map<std::string, std::string>& given) {
  std::map<std::string, std::string> all = given;
  for (const char* name : {"cpr_url", "slam_url", "cmdb_url", "im_url", "monitoring_url"}) {
    all.try_emplace(name, "");
  }
  JsonWriter writer;
  writer.begin_object();
  for (const auto& [name, url] : all) writer.member(name, url);
  writer.end_object();
  return writer.take();
}

}  // namespace tutti::api
