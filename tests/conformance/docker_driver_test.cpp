// The engine's driver on the Docker provider: what a create that died half way left is finished by
// the next one, and nothing waits for it in vain. Needs what docker_test.cpp needs.
#include "providers/docker/docker_provider.hpp"
#include "providers/docker/engine_api.hpp"
#include "providers/docker/objects.hpp"
#include "providers/support/random.hpp"
#include "server/engine/resource_driver.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <unistd.h>

namespace tutti::engine {
namespace {

namespace net = boost::asio;

class DockerDriverTest : public testing::Test {
 protected:
  void SetUp() override {
    const Result<Catalogue> catalogue = test::run(io_, provider_->catalogue());
    if (geteuid() == 0 && catalogue) return;
    const char* const ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << "no sandbox";
    GTEST_SKIP() << "no sandbox: " << (catalogue ? "not root" : catalogue.error().describe());
  }
  void TearDown() override {
    for (const char* resource : {"instance/half", "network/private"}) {
      DestroyOrder order;
      order.kind = *resource == 'i' ? ResourceKind::instance : ResourceKind::network;
      order.ownership = own(resource);
      EXPECT_TRUE(test::run(io_, driver_.destroy(order))) << resource;
    }
  }

  Ownership own(const std::string& resource) const {
    Ownership ownership;
    ownership.owner = owner_;
    ownership.deployment = deployment_;
    ownership.token = make_create_token(owner_, deployment_, ResourceId(resource), 0);
    return ownership;
  }
  Result<Resource> create(const CreateOrder& order) {
    DriverTrace trace;
    return test::run(io_, driver_.create(order, trace));
  }
  CreateOrder machine() {
    CreateOrder network;
    network.spec = NetworkSpec();
    network.ownership = own("network/private");
    const Result<Resource> made = create(network);
    EXPECT_TRUE(made);
    InstanceSpec spec;
    spec.hostname = "half";
    if (made) spec.network.native_id = made->native_id;
    CreateOrder order;
    order.spec = spec;
    order.ownership = own("instance/half");
    return order;
  }
  void leave_volume(const Ownership& ownership) {
    docker::Json volume = docker::Json::object();
    volume["Name"] = docker::object_name(ownership.token);
    volume["Labels"] = docker::make_labels(ownership, docker::kind::kInstanceVolume);
    EXPECT_TRUE(test::run(io_, api_.post("/volumes/create", std::move(volume))));
  }

  net::io_context io_;
  HttpClient http_{io_.get_executor()};
  SystemClock clock_;
  Slots slots_{io_.get_executor(), 4};
  DockerOptions options_;
  std::unique_ptr<Provider> provider_ = make_docker_provider(options_, http_, clock_);
  docker::EngineApi api_{http_, options_.socket};
  ResourceDriver driver_{*provider_, clock_, slots_};
  OwnerId owner_{make_uuid_v4()};
  DeploymentId deployment_{make_uuid_v4()};
};

TEST_F(DockerDriverTest, FinishesWhatACrashLeftAfterARestart) {
  CreateOrder order = machine();
  order.doubt_until = clock_.now() + std::chrono::hours(1);  // of the create that died
  leave_volume(order.ownership);
  const Result<Resource> made = create(order);
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_EQ(made->state, ResourceState::active);
}

TEST_F(DockerDriverTest, DestroysWhatACrashLeft) {
  const CreateOrder order = machine();
  leave_volume(order.ownership);
  DestroyOrder destroy;
  destroy.ownership = order.ownership;
  const Result<void> gone = test::run(io_, driver_.destroy(destroy));
  ASSERT_TRUE(gone) << gone.error().describe();
  const Result<std::vector<Resource>> left =
      test::run(io_, provider_->list_owned(owner_, deployment_));
  ASSERT_TRUE(left);
  EXPECT_EQ(left->size(), 1U);  // the network
}

}  // namespace
}  // namespace tutti::engine
