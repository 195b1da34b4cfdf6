#include "tests/conformance/provider_suite.hpp"

#include "providers/support/random.hpp"
#include "providers/support/task_scope.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace tutti::conformance {

namespace net = boost::asio;

namespace {

constexpr std::chrono::milliseconds kPause{50};
constexpr std::chrono::seconds kPatience{120};

std::vector<ResourceKind> kinds_of(const std::vector<Resource>& resources) {
  std::vector<ResourceKind> kinds;
  for (const Resource& resource : resources) kinds.push_back(resource.kind);
  std::sort(kinds.begin(), kinds.end());
  return kinds;
}

}  // namespace

void ProviderSuite::SetUp() {
  std::string why_not;
  cloud_ = GetParam().make(io_, clock_, why_not);
  if (!cloud_) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << why_not;
    GTEST_SKIP() << why_not;
  }
  owner_ = OwnerId(make_uuid_v4());
  deployment_ = DeploymentId(make_uuid_v7(clock_.now()));
}

void ProviderSuite::TearDown() {
  if (!cloud_) return;
  test::run(io_, destroy_everything(owner_));
}

Ownership ProviderSuite::own(const std::string& resource, int incarnation) const {
  Ownership ownership;
  ownership.owner = owner_;
  ownership.deployment = deployment_;
  ownership.token = make_create_token(owner_, deployment_, ResourceId(resource), incarnation);
  return ownership;
}

ResourceSpec ProviderSuite::network_spec() {
  NetworkSpec spec;
  spec.name = "private";
  return spec;
}

ResourceSpec ProviderSuite::address_spec(const NativeId& network) {
  VirtualAddressSpec spec;
  spec.name = "service";
  spec.network.native_id = network;
  return spec;
}

ResourceSpec ProviderSuite::instance_spec(const NativeId& network, std::uint32_t index) {
  InstanceSpec spec;
  spec.hostname = "node-" + std::to_string(index);
  spec.network.native_id = network;
  spec.address_index = index;
  return spec;
}

net::awaitable<NativeId> ProviderSuite::create(ResourceSpec spec, Ownership ownership) {
  const auto created = co_await provider().create(spec, ownership);
  if (!created) {
    ADD_FAILURE() << created.error().describe();
    co_return NativeId();
  }
  EXPECT_FALSE(created->empty());
  co_return *created;
}

net::awaitable<std::vector<Resource>> ProviderSuite::find(Ownership ownership, ResourceKind kind) {
  const auto found = co_await provider().find(ownership, kind);
  if (!found) {
    ADD_FAILURE() << found.error().describe();
    co_return std::vector<Resource>();
  }
  co_return *found;
}

net::awaitable<std::vector<Resource>> ProviderSuite::list(OwnerId owner, DeploymentId deployment) {
  const auto listed = co_await provider().list_owned(owner, deployment);
  if (!listed) {
    ADD_FAILURE() << listed.error().describe();
    co_return std::vector<Resource>();
  }
  co_return *listed;
}

net::awaitable<Resource> ProviderSuite::wait_for(Ownership ownership, ResourceKind kind,
                                                 ResourceState state) {
  const WallTime deadline = clock_.now() + kPatience;
  while (clock_.now() < deadline) {
    const auto found = co_await find(ownership, kind);
    const bool there = found.size() == 1 && found.front().state == state;
    if (there) co_return found.front();
    co_await clock_.sleep_for(kPause);
  }
  ADD_FAILURE() << "never became " << to_string(state);
  co_return Resource();
}

// In rounds, since a network goes only after what is in it.
net::awaitable<void> ProviderSuite::destroy_everything(OwnerId owner) {
  const WallTime deadline = clock_.now() + kPatience;
  while (clock_.now() < deadline) {
    const auto left = co_await list(owner, DeploymentId());
    if (left.empty()) co_return;
    for (const Resource& resource : left) {
      const auto destroyed = co_await provider().destroy(resource);
      const bool good = destroyed || destroyed.error().cls == ErrorClass::transient;
      EXPECT_TRUE(good) << (good ? "" : destroyed.error().describe());
    }
    co_await clock_.sleep_for(kPause);
  }
  ADD_FAILURE() << "something is left";
}

TEST_P(ProviderSuite, CatalogueAnswers) {
  const auto catalogue = test::run(io_, provider().catalogue());
  ASSERT_TRUE(catalogue) << catalogue.error().describe();
  EXPECT_FALSE(catalogue->images.empty());
}

TEST_P(ProviderSuite, EveryKindIsMadeFoundListedAndDestroyed) {
  const auto body = [this]() -> net::awaitable<void> {
    const Ownership network = own("network/private"), address = own("virtual_address/service"),
                    instance = own("instance/node-0");
    const NativeId network_id = co_await create(network_spec(), network);
    const Resource made = co_await wait_for(network, ResourceKind::network, ResourceState::active);
    EXPECT_EQ(made.native_id, network_id);
    EXPECT_TRUE(made.attributes.contains("cidr"));
    EXPECT_TRUE(made.attributes.contains("gateway"));

    co_await create(address_spec(network_id), address);
    const Resource reserved =
        co_await wait_for(address, ResourceKind::virtual_address, ResourceState::active);
    const std::string prefix =
        made.attributes.at("cidr").substr(0, made.attributes.at("cidr").rfind('.'));
    EXPECT_EQ(reserved.attributes.at("ip_address").rfind(prefix, 0), 0U);

    const NativeId instance_id = co_await create(instance_spec(network_id, 0), instance);
    const Resource up = co_await wait_for(instance, ResourceKind::instance, ResourceState::active);
    EXPECT_EQ(up.native_id, instance_id);
    EXPECT_EQ(up.attributes.at("private_address").rfind(prefix, 0), 0U);
    EXPECT_NE(up.attributes.at("private_address"), reserved.attributes.at("ip_address"));
    EXPECT_EQ(up.attributes.at("ssh_port"), "22");
    EXPECT_EQ(up.ownership.deployment, deployment_);
    EXPECT_EQ(up.ownership.token, instance.token);

    const std::vector<ResourceKind> all{ResourceKind::instance, ResourceKind::network,
                                        ResourceKind::virtual_address};
    EXPECT_EQ(kinds_of(co_await list(owner_, deployment_)), all);
    EXPECT_EQ(kinds_of(co_await list(owner_, DeploymentId())), all);
    EXPECT_TRUE((co_await list(OwnerId("somebody"), deployment_)).empty());
    EXPECT_TRUE((co_await find(instance, ResourceKind::network)).empty());

    co_await destroy_everything(owner_);
    EXPECT_TRUE((co_await find(network, ResourceKind::network)).empty());
    EXPECT_TRUE((co_await find(instance, ResourceKind::instance)).empty());
    EXPECT_TRUE((co_await find(address, ResourceKind::virtual_address)).empty());
    for (const Resource& resource : {up, reserved, made}) {  // again: what is gone is success
      const auto again = co_await provider().destroy(resource);
      EXPECT_TRUE(again) << to_string(resource.kind);
    }
  };
  test::run(io_, body());
}

TEST_P(ProviderSuite, OneTokenGivesOneObjectWhereTheCloudPromisesIt) {
  const auto body = [this]() -> net::awaitable<void> {
    const Ownership network = own("network/private");
    const NativeId network_id = co_await create(network_spec(), network);
    std::vector<std::pair<ResourceSpec, Ownership>> made{
        {network_spec(), network},
        {address_spec(network_id), own("virtual_address/service")},
        {instance_spec(network_id, 3), own("instance/node-3")}};
    for (const auto& [spec, ownership] : made) {
      const auto before = co_await find(ownership, kind_of(spec));
      if (before.empty()) co_await create(spec, ownership);
      const auto again = co_await provider().create(spec, ownership);
      const bool refused = !again && again.error().cls == ErrorClass::conflict;
      EXPECT_TRUE(again || refused);
      const auto found = co_await find(ownership, kind_of(spec));
      if (provider().capabilities().native_tokens.contains(kind_of(spec))) {
        EXPECT_EQ(found.size(), 1U) << to_string(kind_of(spec));
        EXPECT_TRUE(!again || *again == found.front().native_id);
      } else {
        EXPECT_GE(found.size(), 1U) << to_string(kind_of(spec));
        EXPECT_TRUE(std::is_sorted(
            found.begin(), found.end(),
            [](const Resource& a, const Resource& b) { return a.created_at < b.created_at; }));
      }
    }
  };
  test::run(io_, body());
}

TEST_P(ProviderSuite, CreatesOfOneTokenAtOnceGiveOneObjectWhereTheCloudPromisesIt) {
  if (provider().capabilities().native_tokens.empty()) GTEST_SKIP() << "the cloud promises nothing";
  TaskScope scope(io_.get_executor(), [](std::string_view text) { ADD_FAILURE() << text; });
  const auto one = [this](ResourceSpec spec, Ownership ownership) -> net::awaitable<void> {
    const auto created = co_await provider().create(spec, ownership);
    EXPECT_TRUE(created || created.error().cls == ErrorClass::conflict)
        << (created ? "" : created.error().describe());
  };
  const auto body = [&]() -> net::awaitable<void> {
    const Ownership network = own("network/private"), instance = own("instance/node-0");
    for (int i = 0; i < 3; ++i) scope.spawn(one(network_spec(), network));
    co_await scope.join();
    const auto networks = co_await find(network, ResourceKind::network);
    EXPECT_EQ(networks.size(), 1U);
    if (networks.empty()) co_return;
    const NativeId id = networks.front().native_id;
    for (int i = 0; i < 3; ++i) scope.spawn(one(instance_spec(id, 0), instance));
    co_await scope.join();
    co_await wait_for(instance, ResourceKind::instance, ResourceState::active);
  };
  test::run(io_, body());
}

TEST_P(ProviderSuite, VirtualAddressesOfOneNetworkDiffer) {
  TaskScope scope(io_.get_executor(), [](std::string_view text) { ADD_FAILURE() << text; });
  const auto body = [&]() -> net::awaitable<void> {
    const NativeId network = co_await create(network_spec(), own("network/private"));
    const auto one = [this, &network](std::string name) -> net::awaitable<void> {
      co_await create(address_spec(network), own(name));
    };
    for (const char* name : {"a", "b", "c"}) scope.spawn(one(name));
    co_await scope.join();
    std::set<std::string> addresses;
    for (const Resource& resource : co_await list(owner_, deployment_)) {
      if (resource.kind != ResourceKind::virtual_address) continue;
      addresses.insert(resource.attributes.at("ip_address"));
    }
    EXPECT_EQ(addresses.size(), 3U);
  };
  test::run(io_, body());
}

TEST_P(ProviderSuite, DeploymentsAreKeptApart) {
  const auto body = [this]() -> net::awaitable<void> {
    const Ownership here = own("network/private");
    Ownership there = here;
    there.deployment = DeploymentId(make_uuid_v7(clock_.now()));
    there.token = make_create_token(owner_, there.deployment, ResourceId("network/private"), 1);
    co_await create(network_spec(), here);
    co_await create(network_spec(), there);
    const auto one = co_await list(owner_, deployment_);
    const auto other = co_await list(owner_, there.deployment);
    const auto both = co_await list(owner_, DeploymentId());
    EXPECT_EQ(one.size(), 1U);
    EXPECT_EQ(other.size(), 1U);
    EXPECT_EQ(both.size(), 2U);
    if (one.size() != 1 || other.size() != 1) co_return;
    EXPECT_NE(one[0].attributes.at("cidr"), other[0].attributes.at("cidr"));
    const auto destroyed = co_await provider().destroy(one[0]);
    EXPECT_TRUE(destroyed);
    EXPECT_EQ((co_await list(owner_, there.deployment)).size(), 1U);
  };
  test::run(io_, body());
}

TEST_P(ProviderSuite, NothingIsDestroyedForAnotherOwner) {
  const auto body = [this]() -> net::awaitable<void> {
    const Ownership network = own("network/private"), instance = own("instance/node-0");
    const NativeId id = co_await create(network_spec(), network);
    co_await create(instance_spec(id, 0), instance);
    co_await wait_for(instance, ResourceKind::instance, ResourceState::active);
    for (Resource resource : co_await list(owner_, deployment_)) {
      resource.ownership.owner = OwnerId("somebody");
      const auto refused = co_await provider().destroy(resource);
      EXPECT_TRUE(!refused && refused.error().cls == ErrorClass::invalid);
      if (resource.kind != ResourceKind::instance) continue;
      const auto power = co_await provider().set_power(resource, Power::off);
      EXPECT_TRUE(!power && power.error().cls == ErrorClass::invalid);
    }
    EXPECT_EQ((co_await list(owner_, deployment_)).size(), 2U);
    co_await wait_for(instance, ResourceKind::instance, ResourceState::active);
  };
  test::run(io_, body());
}

TEST_P(ProviderSuite, ForeignLookAlikesSurviveEverything) {
  const auto body = [this]() -> net::awaitable<void> {
    const Ownership network = own("network/private");
    cloud_->plant_look_alike(network, ResourceKind::network);
    const auto created = co_await provider().create(network_spec(), network);
    NativeId id;
    if (created) {
      id = *created;
      EXPECT_EQ((co_await find(network, ResourceKind::network)).size(), 1U);
    } else {  // where the cloud's names are unique it may refuse, saying so
      EXPECT_EQ(created.error().cls, ErrorClass::conflict);
      id = co_await create(network_spec(), own("network/private", 2));
    }
    const Ownership instance = own("instance/node-0"), address = own("virtual_address/service");
    cloud_->plant_look_alike(instance, ResourceKind::instance);
    cloud_->plant_look_alike(address, ResourceKind::virtual_address);
    std::vector<std::pair<ResourceSpec, Ownership>> tried{{instance_spec(id, 0), instance},
                                                          {address_spec(id), address}};
    for (const auto& [spec, ownership] : tried) {
      const auto made = co_await provider().create(spec, ownership);
      EXPECT_TRUE(made || made.error().cls == ErrorClass::conflict)
          << (made ? "" : made.error().describe());
    }
    co_await destroy_everything(owner_);
    EXPECT_TRUE(cloud_->look_alikes_stand());
  };
  test::run(io_, body());
}

TEST_P(ProviderSuite, InstancesStopAndStart) {
  if (!provider().capabilities().stop) GTEST_SKIP() << "the cloud cannot stop instances";
  const auto body = [this]() -> net::awaitable<void> {
    const NativeId network = co_await create(network_spec(), own("network/private"));
    const Ownership instance = own("instance/node-0");
    co_await create(instance_spec(network, 0), instance);
    const Resource up = co_await wait_for(instance, ResourceKind::instance, ResourceState::active);
    for (int round = 0; round < 2; ++round) {  // the second time it is so already
      const auto off = co_await provider().set_power(up, Power::off);
      EXPECT_TRUE(off) << (off ? "" : off.error().describe());
      co_await wait_for(instance, ResourceKind::instance, ResourceState::stopped);
    }
    for (int round = 0; round < 2; ++round) {
      const auto on = co_await provider().set_power(up, Power::on);
      EXPECT_TRUE(on) << (on ? "" : on.error().describe());
      const Resource again =
          co_await wait_for(instance, ResourceKind::instance, ResourceState::active);
      EXPECT_EQ(again.native_id, up.native_id);
      EXPECT_EQ(again.attributes.at("private_address"), up.attributes.at("private_address"));
    }
    co_await destroy_everything(owner_);
    const auto gone = co_await provider().set_power(up, Power::on);
    EXPECT_TRUE(!gone && gone.error().cls == ErrorClass::not_found);
  };
  test::run(io_, body());
}

TEST_P(ProviderSuite, RefusalsAreMapped) {
  const auto body = [this]() -> net::awaitable<void> {
    const NativeId nowhere("no-such-network");
    const auto lost = co_await provider().create(instance_spec(nowhere, 0), own("instance/a"));
    EXPECT_TRUE(!lost && lost.error().cls == ErrorClass::not_found);
    const auto afloat = co_await provider().create(address_spec(nowhere), own("address/a"));
    EXPECT_TRUE(!afloat && afloat.error().cls == ErrorClass::not_found);
    const NativeId network = co_await create(network_spec(), own("network/private"));
    auto elsewhere = std::get<VirtualAddressSpec>(address_spec(network));
    elsewhere.ip_address = "192.0.2.1";
    const ResourceSpec foreign = elsewhere;
    const auto outside = co_await provider().create(foreign, own("address/b"));
    EXPECT_TRUE(!outside && outside.error().cls == ErrorClass::invalid);
    const auto beyond =
        co_await provider().create(instance_spec(network, 100000), own("instance/b"));
    EXPECT_TRUE(!beyond && beyond.error().cls == ErrorClass::capacity);
    EXPECT_EQ((co_await list(owner_, deployment_)).size(), 1U);  // refusals leave nothing behind
  };
  test::run(io_, body());
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ProviderSuite);

}  // namespace tutti::conformance
