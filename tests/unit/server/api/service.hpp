// The API over the real engine, view, resolver and store (in memory), with the simulated cloud and
// a stand-in for Ansible; requests are handed to the handler as the HTTP layer would.
#pragma once

#include "server/api/api.hpp"
#include "server/api/prepare.hpp"
#include "server/http/target.hpp"
#include "tests/unit/server/engine/daemon.hpp"
#include "tosca/profiles/import_map.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tutti::api::test {

using nlohmann::json;
using Fields = std::vector<std::pair<std::string, std::string>>;

class Publisher final : public engine::Observer {
 public:
  explicit Publisher(view::View& view) : view_(view) {}
  void publish(const DeploymentId& deployment, engine::Published published) override {
    view::Facts facts;
    facts.state = published.state;
    facts.topology = published.topology;
    facts.request_json = published.request_json;
    facts.running_tasks = published.running_tasks;
    view_.publish(deployment, std::move(facts));
  }
  void forget(const DeploymentId& deployment) override { view_.forget(deployment); }

 private:
  view::View& view_;
};

inline view::SiteInfo test_site() {
  view::SiteInfo site;
  site.name = "test";
  site.provider = "simulated";
  site.endpoint = "unix:///run/cloud.sock";
  return site;
}

class Service {
 public:
  explicit Service(engine::test::Outside& outside, std::size_t max_preparations = 4)
      : outside_(outside),
        store_(outside.disk, outside.clock, std::chrono::milliseconds(1)),
        provider_(
            simulated::make_in_process_provider(*outside.cloud, outside.faults, outside.clock)),
        bootstrapper_(outside.playbooks, outside.clock, dead_),
        view_(test_site()),
        publisher_(view_),
        texts_(store_,
               [&outside](const DeploymentId& deployment, const std::string& document,
                          const std::string& sealed) {
                 return outside.sealer.unseal(sealed,
                                              engine::document_context(deployment, document));
               }),
        engine_(context_.get_executor(), store_, *provider_, bootstrapper_, outside.clock, offload_,
                outside.sealer, make_recovery_resolver(), publisher_,
                engine::test::Daemon::options(outside)) {
    Settings settings;
    settings.imports = tosca::ImportMap().resolver();
    settings.site = engine::test::Daemon::options(outside).site;
    settings.max_preparations = max_preparations;
    Commands commands = commands_of(engine_);
    commands.create =
        [this, create = commands.create](
            engine::CreateCommand command) -> boost::asio::awaitable<Result<DeploymentId>> {
      if (before_create) co_await before_create();
      co_return co_await create(std::move(command));
    };
    handler_ = make_handler(
        {std::move(commands), view_, texts_, offload_, outside.clock, std::move(settings)});
    const auto started = tutti::test::run(context_, engine_.start());
    EXPECT_TRUE(started) << (started ? "" : started.error().describe());
  }
  ~Service() { tutti::test::run(context_, engine_.stop()); }

  http::Response call(const std::string& method, const std::string& target,
                      const std::string& body = "", const Fields& fields = {}) {
    return tutti::test::run(context_, answer(request(method, target, body, fields)));
  }
  boost::asio::awaitable<http::Response> answer(http::Request request) {
    auto admission = handler_->admit(request);
    if (admission.refusal) co_return std::move(*admission.refusal);
    if (request.body.size() > admission.body_limit_bytes) {
      co_return handler_->error(413, "too large");
    }
    co_return co_await handler_->handle(request);
  }
  static http::Request request(const std::string& method, const std::string& target,
                               const std::string& body, const Fields& fields = {}) {
    http::Request request;
    request.header.method_string(method);
    request.header.target(target);
    request.header.version(11);
    request.header.insert("Host", "portal.example");
    bool typed = false;
    for (const auto& [name, value] : fields) {
      request.header.insert(name, value);
      typed = typed || name == "Content-Type";
    }
    if (!body.empty() && !typed) request.header.insert("Content-Type", "application/json");
    request.body = body;
    return request;
  }
  json get(const std::string& target) { return json::parse(call("GET", target).body); }

  // Creates a deployment; its uuid.
  std::string create(const std::string& text, const json& more = json::object()) {
    json body{{"template", text}};
    body.update(more);
    const auto response = call("POST", "/deployments", body.dump());
    EXPECT_EQ(response.status, 201U) << response.body;
    return json::parse(response.body).value("uuid", "");
  }
  // Runs everything until the deployment shows this status ("404": is gone).
  bool until(const std::string& uuid, const std::string& status) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      const auto response = call("GET", "/deployments/" + uuid);
      if (response.status == 404) return status == "404";
      if (json::parse(response.body).at("status") == status) return true;
      context_.restart();
      context_.run_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  view::View& view() { return view_; }

  // Awaited by each create, before the engine is asked.
  std::function<boost::asio::awaitable<void>()> before_create;

 private:
  engine::test::Outside& outside_;
  bool dead_ = false;
  boost::asio::io_context context_;
  Offload offload_{2};
  store::MemoryStore store_;
  std::unique_ptr<Provider> provider_;
  engine::test::StandInBootstrapper bootstrapper_;
  view::View view_;
  Publisher publisher_;
  view::ColdTexts texts_;
  engine::Engine engine_;
  std::unique_ptr<http::Handler> handler_;
};

// `count` machines and their addresses.
inline const std::string kMachines = R"(tosca_definitions_version: tosca_simple_yaml_1_0
topology_template:
  inputs:
    count: { type: integer, default: 2 }
    password: { type: string, default: none, metadata: { secret: true } }
  node_templates:
    web:
      type: tosca.nodes.Compute
      capabilities:
        scalable:
          properties:
            count: { get_input: count }
        host:
          properties: { num_cpus: 1, mem_size: 512 MB }
  outputs:
    addresses:
      value: { get_attribute: [ web, private_address ] }
)";

}  // namespace tutti::api::test
