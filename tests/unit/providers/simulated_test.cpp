#include "providers/simulated/simulated_provider.hpp"
#include "providers/simulated/wire.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <gtest/gtest.h>

namespace tutti::simulated {
namespace {

namespace net = boost::asio;

WallTime at(std::int64_t ms) {
  return WallTime{Milliseconds(ms)};
}

Ownership own(const std::string& token) {
  Ownership ownership;
  ownership.owner = OwnerId("o");
  ownership.deployment = DeploymentId("d");
  ownership.token.value = token;
  return ownership;
}

ResourceSpec instance(const NativeId& network, std::int64_t memory = 0) {
  InstanceSpec spec;
  spec.hostname = "h";
  spec.network.native_id = network;
  spec.mem_size_bytes = memory;
  return spec;
}

class WorldTest : public testing::Test {
 protected:
  NativeId network() { return *world_.create(NetworkSpec(), own("net"), at(0)); }
  Resource only(const std::string& token, ResourceKind kind, std::int64_t ms) {
    const auto found = world_.find(own(token), kind, at(ms));
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? Resource() : found.front();
  }
  World world_;
};

TEST_F(WorldTest, BootingTakesItsTime) {
  world_.options().boot_time = Milliseconds(100);
  ASSERT_TRUE(world_.create(instance(network()), own("a"), at(10)));
  EXPECT_EQ(only("a", ResourceKind::instance, 109).state, ResourceState::building);
  EXPECT_EQ(only("a", ResourceKind::instance, 110).state, ResourceState::active);
}

TEST_F(WorldTest, NewObjectsBecomeVisibleLate) {
  const NativeId net = network();
  world_.options().visible_after = Milliseconds(50);
  ASSERT_TRUE(world_.create(instance(net), own("a"), at(0)));
  EXPECT_TRUE(world_.find(own("a"), ResourceKind::instance, at(49)).empty());
  EXPECT_EQ(world_.list_owned(OwnerId("o"), DeploymentId(), at(49)).size(), 1U);  // the network
  EXPECT_EQ(world_.find(own("a"), ResourceKind::instance, at(50)).size(), 1U);
  EXPECT_EQ(world_.audit(at(50)).live.size(), 2U);
}

TEST_F(WorldTest, DestroyedObjectsGoAfterAWhileAndNetworksLast) {
  const NativeId net = network();
  ASSERT_TRUE(world_.create(instance(net), own("a"), at(0)));
  const Resource a = only("a", ResourceKind::instance, 0);
  const Resource n = only("net", ResourceKind::network, 0);
  EXPECT_EQ(world_.destroy(n, at(0)).error().cls, ErrorClass::transient);
  ASSERT_TRUE(world_.destroy(a, at(100)));
  EXPECT_EQ(only("a", ResourceKind::instance, 110).state, ResourceState::deleting);
  ASSERT_TRUE(world_.destroy(a, at(119)));  // asking again does not delay it
  EXPECT_TRUE(world_.find(own("a"), ResourceKind::instance, at(120)).empty());
  ASSERT_TRUE(world_.destroy(n, at(120)));
  EXPECT_TRUE(world_.audit(at(140)).live.empty());
}

TEST_F(WorldTest, QuotaAndMemoryClearWhenObjectsGo) {
  const NativeId net = network();
  world_.options().quota[ResourceKind::instance] = 1;
  world_.options().memory_bytes = 100;
  EXPECT_EQ(world_.create(instance(net, 101), own("a"), at(0)).error().cls, ErrorClass::capacity);
  ASSERT_TRUE(world_.create(instance(net, 100), own("a"), at(0)));
  EXPECT_EQ(world_.create(instance(net), own("b"), at(0)).error().cls, ErrorClass::quota);
  ASSERT_TRUE(world_.destroy(only("a", ResourceKind::instance, 0), at(1)));
  EXPECT_TRUE(world_.create(instance(net, 100), own("b"), at(100)));
}

TEST_F(WorldTest, TheAuditCountsWhatATokenMade) {
  const NativeId net = network();
  ASSERT_TRUE(world_.create(instance(net), own("a"), at(0)));
  ASSERT_TRUE(world_.create(instance(net), own("a"), at(1)));
  ASSERT_TRUE(world_.create(instance(net), own("b"), at(1)));
  const auto twice = world_.find(own("a"), ResourceKind::instance, at(1));
  ASSERT_EQ(twice.size(), 2U);
  ASSERT_TRUE(world_.destroy(twice[1], at(2)));
  ASSERT_TRUE(world_.destroy(only("b", ResourceKind::instance, 2), at(2)));
  ASSERT_TRUE(world_.create(instance(net), own("b"), at(1000)));
  const Audit audit = world_.audit(at(1000));
  EXPECT_EQ(audit.creates.at("a"), 2);
  EXPECT_EQ(audit.most_live.at("a"), 2);
  EXPECT_EQ(audit.creates.at("b"), 2);
  EXPECT_EQ(audit.most_live.at("b"), 1);
}

TEST_F(WorldTest, NativeTokensAreRefusedTwice) {
  const NativeId net = network();
  world_.options().capabilities.native_tokens = {ResourceKind::instance};
  ASSERT_TRUE(world_.create(instance(net), own("a"), at(0)));
  EXPECT_EQ(world_.create(instance(net), own("a"), at(0)).error().cls, ErrorClass::conflict);
}

TEST_F(WorldTest, BootsFailWhenTold) {
  world_.fail_boots(1);
  const NativeId net = network();
  ASSERT_TRUE(world_.create(instance(net), own("a"), at(0)));
  ASSERT_TRUE(world_.create(instance(net), own("b"), at(0)));
  const Resource a = only("a", ResourceKind::instance, 1000);
  EXPECT_EQ(a.state, ResourceState::failed);
  EXPECT_FALSE(a.fault.empty());
  EXPECT_EQ(only("b", ResourceKind::instance, 1000).state, ResourceState::active);
}

TEST(Faults, ArePlannedInOrderAndThenGone) {
  Faults faults;
  Fault lost;
  lost.when = Fault::When::after;
  faults.plan("create", lost, 2);
  EXPECT_EQ(faults.next("find").when, Fault::When::none);
  EXPECT_EQ(faults.next("create").when, Fault::When::after);
  EXPECT_EQ(faults.next("create").when, Fault::When::after);
  EXPECT_EQ(faults.next("create").when, Fault::When::none);
  EXPECT_EQ(faults.calls().at("create"), 3);
}

TEST(Faults, OneSeedIsOneStory) {
  FaultRates rates;
  rates.lost_answers = 300;
  rates.throttled = 200;
  rates.longest_delay = Milliseconds(40);
  Faults one(7, rates), same(7, rates), other(8, rates);
  int faulty = 0, different = 0;
  for (int i = 0; i < 1000; ++i) {
    const Fault a = one.next("x"), b = same.next("x"), c = other.next("x");
    EXPECT_EQ(a.when, b.when);
    EXPECT_EQ(a.request_delay, b.request_delay);
    EXPECT_LE(a.request_delay, Milliseconds(40));
    faulty += a.when != Fault::When::none;
    different += a.when != c.when || a.request_delay != c.request_delay;
  }
  EXPECT_GT(faulty, 400);
  EXPECT_LT(faulty, 600);
  EXPECT_GT(different, 500);
}

class InProcessTest : public testing::Test {
 protected:
  net::io_context io_;
  SystemClock clock_;
  World world_;
  Faults faults_;
  std::unique_ptr<Provider> provider_ = make_in_process_provider(world_, faults_, clock_);
};

TEST_F(InProcessTest, ALostAnswerHasItsEffect) {
  Fault lost;
  lost.when = Fault::When::after;
  faults_.plan("create", lost);
  const ResourceSpec spec = NetworkSpec();
  const Ownership mine = own("net");
  const auto created = test::run(io_, provider_->create(spec, mine));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().cls, ErrorClass::transient);
  EXPECT_EQ(test::run(io_, provider_->find(mine, ResourceKind::network))->size(), 1U);
}

// Tells the time that the test sets; its sleeps are real, and these tests never wait for one.
class SetClock final : public Clock {
 public:
  WallTime now() const override { return now_; }
  net::awaitable<void> sleep_for(std::chrono::milliseconds time) override {
    return real_.sleep_for(time);
  }
  void advance(std::chrono::milliseconds time) { now_ += time; }

 private:
  WallTime now_ = at(0);
  SystemClock real_;
};

TEST(InProcess, ARequestOnItsWayArrivesWithoutItsCaller) {
  net::io_context io;
  SetClock clock;
  World world;
  Faults faults;
  const auto provider = make_in_process_provider(world, faults, clock);
  Fault slow;
  slow.request_delay = std::chrono::hours(1);
  faults.plan("create", slow);
  const ResourceSpec spec = NetworkSpec();
  const Ownership mine = own("net");
  const auto give_up = [&]() -> net::awaitable<void> {
    using namespace net::experimental::awaitable_operators;
    co_await (provider->create(spec, mine) || clock.sleep_for(Milliseconds(1)));
  };
  test::run(io, give_up());
  EXPECT_TRUE(test::run(io, provider->find(mine, ResourceKind::network))->empty());
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(test::run(io, provider->find(mine, ResourceKind::network))->size(), 1U);
}

TEST_F(InProcessTest, ASlowCreateGivesTheIdOfWhatItMade) {
  Fault slow;
  slow.request_delay = slow.answer_delay = Milliseconds(5);
  faults_.plan("create", slow);
  const ResourceSpec spec = NetworkSpec();
  const Ownership mine = own("net");
  const auto created = test::run(io_, provider_->create(spec, mine));
  ASSERT_TRUE(created);
  EXPECT_EQ(test::run(io_, provider_->find(mine, ResourceKind::network))->front().native_id,
            *created);
}

TEST(Wire, RoundTrips) {
  VirtualAddressSpec address;
  address.name = "vip";
  address.network.native_id = NativeId("n");
  address.ip_address = "10.0.0.250";
  InstanceSpec machine;
  machine.hostname = "h";
  machine.num_cpus = 3;
  machine.mem_size_bytes = 7;
  machine.network.native_id = NativeId("n");
  machine.address_index = 9;
  machine.host_private_key = "a secret that must not travel";
  for (const ResourceSpec& spec :
       {ResourceSpec(NetworkSpec()), ResourceSpec(address), ResourceSpec(machine)}) {
    const Json json = encode(spec);
    EXPECT_EQ(encode(decode_spec(json)), json);
    EXPECT_EQ(json.dump().find("secret"), std::string::npos);
  }
  Resource resource;
  resource.kind = ResourceKind::virtual_address;
  resource.native_id = NativeId("x");
  resource.ownership = own("t");
  resource.state = ResourceState::failed;
  resource.fault = "why";
  resource.created_at = at(12345);
  resource.attributes = {{"ip_address", "10.0.0.250"}};
  EXPECT_EQ(encode(decode_resource(encode(resource))), encode(resource));
  const Error error(ErrorClass::quota, "c", "m");
  EXPECT_EQ(encode(decode_error(encode(error))), encode(error));
  EXPECT_THROW(static_cast<void>(decode_spec(Json::parse(R"({"kind":"moon"})"))),
               std::invalid_argument);
}

}  // namespace
}  // namespace tutti::simulated
