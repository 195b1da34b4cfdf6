// The Docker provider against the suite of all clouds, on this machine's Engine. Needs root, the
// Engine and the images of deploy/images.
#include "providers/docker/docker_provider.hpp"
#include "providers/docker/objects.hpp"
#include "providers/support/http_client.hpp"
#include "tests/conformance/provider_suite.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <nlohmann/json.hpp>

#include <unistd.h>

namespace tutti::conformance {
namespace {

namespace net = boost::asio;
using nlohmann::json;

class Sandbox final : public Cloud {
 public:
  Sandbox(net::io_context& io, Clock& clock)
      : http_(io.get_executor()), provider_(make_docker_provider(options_, http_, clock)) {}
  ~Sandbox() override {
    for (auto path = planted_.rbegin(); path != planted_.rend(); ++path) {
      EXPECT_LT(call("DELETE", *path, nullptr).status, 300) << *path;
    }
  }

  Provider& provider() override { return *provider_; }

  // The Engine's names are all that a stranger can forge without being us: same name, other labels.
  void plant_look_alike(const Ownership& own, ResourceKind kind) override {
    const std::string name = docker::object_name(own.token);
    json body = json::object();
    body["Labels"]["tutti.owner"] = "another owner";
    body["Labels"]["tutti.token"] = own.token.value;
    std::string path;
    if (kind == ResourceKind::instance) {
      body["Image"] = options_.image;
      body["Entrypoint"] = json::array({"/bin/true"});
      body["HostConfig"]["NetworkMode"] = "none";
      path = "/containers/" + plant("/containers/create?name=" + name, body);
    } else if (kind == ResourceKind::network) {
      body["Name"] = name;
      path = "/networks/" + plant("/networks/create", body);
    } else {
      body["Name"] = name;
      path = "/volumes/" + plant("/volumes/create", body);
    }
    planted_.push_back(path);
  }

  bool look_alikes_stand() override {
    return std::all_of(planted_.begin(), planted_.end(), [this](const std::string& path) {
      const bool container = path.starts_with("/containers/");
      return call("GET", container ? path + "/json" : path, nullptr).status == 200;
    });
  }

 private:
  std::string plant(const std::string& path, const json& body) {
    const HttpResponse response = call("POST", path, body);
    EXPECT_EQ(response.status, 201) << response.body;
    const json made = json::parse(response.body, nullptr, false);
    return made.value(made.contains("Id") ? "Id" : "Name", "");
  }

  HttpResponse call(const std::string& method, const std::string& path, const json& body) {
    HttpRequest request(method, "http://docker/v1.41" + path);
    request.unix_socket = options_.socket;
    if (!body.is_null()) {
      request.headers.emplace_back("Content-Type", "application/json");
      request.body = body.dump();
    }
    auto response = test::run(planting_io_, planting_http_.perform(std::move(request)));
    EXPECT_TRUE(response) << (response ? "" : response.error().describe());
    return response ? std::move(*response) : HttpResponse();
  }

  DockerOptions options_;
  HttpClient http_;
  // Look-alikes are planted from within coroutines of the suite's context: not for a second run.
  net::io_context planting_io_;
  HttpClient planting_http_{planting_io_.get_executor()};
  std::unique_ptr<Provider> provider_;
  std::vector<std::string> planted_;
};

CloudFactory sandbox() {
  CloudFactory factory;
  factory.name = "docker";
  factory.make = [](net::io_context& io, Clock& clock,
                    std::string& why_not) -> std::unique_ptr<Cloud> {
    if (::geteuid() != 0) {
      why_not = "the sandbox needs root";
      return nullptr;
    }
    auto cloud = std::make_unique<Sandbox>(io, clock);
    const auto catalogue = test::run(io, cloud->provider().catalogue());
    if (!catalogue) {
      why_not = catalogue.error().describe();
      return nullptr;
    }
    if (catalogue->images.empty()) {
      why_not = "the instance image is missing: run deploy/images/build";
      return nullptr;
    }
    return cloud;
  };
  return factory;
}

INSTANTIATE_TEST_SUITE_P(Sandbox, ProviderSuite, testing::Values(sandbox()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace tutti::conformance
