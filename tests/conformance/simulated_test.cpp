// The simulated cloud's two providers against the suite of all clouds.
#include "providers/simulated/server/cloud_service.hpp"
#include "providers/simulated/simulated_provider.hpp"
#include "providers/support/task_scope.hpp"
#include "tests/conformance/provider_suite.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <sys/types.h>

namespace tutti::conformance {
namespace {

namespace net = boost::asio;
using simulated::WorldOptions;

WorldOptions options_with(bool native_token) {
  WorldOptions options;
  options.boot_time = std::chrono::milliseconds(20);
  if (native_token) {
    options.capabilities.native_tokens = {ResourceKind::instance, ResourceKind::network,
                                          ResourceKind::virtual_address};
  }
  return options;
}

// A look-alike carries the very same token, of another owner.
Resource look_alike_of(const Ownership& own, ResourceKind kind, WallTime now) {
  Resource resource;
  resource.kind = kind;
  resource.native_id = NativeId("foreign-" + own.token.value);
  resource.ownership = own;
  resource.ownership.owner = OwnerId("another owner");
  resource.state = ResourceState::active;
  resource.created_at = now;
  resource.attributes = {{"cidr", "10.255.0.0/24"}, {"ip_address", "10.255.0.254"}};
  return resource;
}

class InProcessCloud final : public Cloud {
 public:
  InProcessCloud(Clock& clock, bool native_token)
      : clock_(clock),
        world_(options_with(native_token)),
        provider_(simulated::make_in_process_provider(world_, faults_, clock)) {}

  Provider& provider() override { return *provider_; }
  void plant_look_alike(const Ownership& own, ResourceKind kind) override {
    world_.plant(look_alike_of(own, kind, clock_.now()));
    ++planted_;
  }
  bool look_alikes_stand() override {
    const auto found = world_.list_owned(OwnerId("another owner"), DeploymentId(), clock_.now());
    return found.size() == planted_ &&
           std::all_of(found.begin(), found.end(),
                       [](const Resource& r) { return r.state == ResourceState::active; });
  }

 private:
  Clock& clock_;
  simulated::World world_;
  simulated::Faults faults_;
  std::unique_ptr<Provider> provider_;
  std::size_t planted_ = 0;
};

// The service runs in the same loop here; what is between is real: HTTP on a unix socket.
class RemoteCloud final : public Cloud {
 public:
  RemoteCloud(net::io_context& io, Clock& clock)
      : io_(io),
        clock_(clock),
        service_(io.get_executor(), clock, options_with(false)),
        scope_(io.get_executor(), [](std::string_view text) { ADD_FAILURE() << text; }),
        provider_(simulated::make_remote_provider(io.get_executor(), socket_)) {
    scope_.spawn(service_.serve(socket_));
  }
  ~RemoteCloud() override {
    const auto end = [this]() -> net::awaitable<void> {
      provider_.reset();
      scope_.cancel_all();
      co_await scope_.join();
    };
    test::run(io_, end());
  }

  Provider& provider() override { return *provider_; }
  void plant_look_alike(const Ownership& own, ResourceKind kind) override {
    service_.world().plant(look_alike_of(own, kind, clock_.now()));
    ++planted_;
  }
  bool look_alikes_stand() override {
    return service_.world()
               .list_owned(OwnerId("another owner"), DeploymentId(), clock_.now())
               .size() == planted_;
  }

 private:
  net::io_context& io_;
  Clock& clock_;
  test::TempFolder folder_;
  std::string socket_ = folder_.file("cloud");
  simulated::CloudService service_;
  TaskScope scope_;
  std::unique_ptr<Provider> provider_;
  std::size_t planted_ = 0;
};

CloudFactory in_process(const std::string& name, bool native_token) {
  CloudFactory factory;
  factory.name = name;
  factory.make = [native_token](net::io_context&, Clock& clock, std::string&) {
    return std::make_unique<InProcessCloud>(clock, native_token);
  };
  return factory;
}

CloudFactory remote() {
  CloudFactory factory;
  factory.name = "remote";
  factory.make = [](net::io_context& io, Clock& clock, std::string&) {
    return std::make_unique<RemoteCloud>(io, clock);
  };
  return factory;
}

INSTANTIATE_TEST_SUITE_P(Simulated, ProviderSuite,
                         testing::Values(in_process("in_process", false),
                                         in_process("native_token", true), remote()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace tutti::conformance
