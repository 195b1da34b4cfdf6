#include "server/engine/resource_driver.hpp"

#include "tests/unit/server/engine/daemon.hpp"

#include <boost/asio/post.hpp>
#include <gmock/gmock.h>

namespace tutti::engine::test {
namespace {

// Hours pass in no time.
class JumpingClock final : public Clock {
 public:
  WallTime now() const override { return now_; }
  net::awaitable<void> sleep_for(std::chrono::milliseconds time) override {
    now_ += time;
    co_await net::post(co_await net::this_coro::executor, net::use_awaitable);
  }

 private:
  WallTime now_{std::chrono::hours(24 * 365 * 50)};
};

class ResourceDriverTest : public testing::Test {
 protected:
  ResourceDriverTest() {
    order_.spec = NetworkSpec{"private"};
    order_.ownership = {OwnerId("owner"), DeploymentId("d"), CreateToken{"t-one"}};
  }
  Result<Resource> create() { return tutti::test::run(context_, driver_.create(order_, trace_)); }
  Result<void> destroy(std::optional<WallTime> doubt = std::nullopt) {
    DestroyOrder order;
    order.kind = ResourceKind::network;
    order.ownership = order_.ownership;
    order.doubt_until = doubt;
    return tutti::test::run(context_, driver_.destroy(order));
  }
  simulated::Fault fault(simulated::Fault::When when, ErrorClass cls) const {
    simulated::Fault made;
    made.when = when;
    made.cls = cls;
    return made;
  }

  Outside outside_;
  net::io_context context_;
  Slots slots_{context_.get_executor(), 4};
  std::unique_ptr<Provider> provider_ =
      simulated::make_in_process_provider(*outside_.cloud, outside_.faults, outside_.clock);
  ResourceDriver driver_{*provider_, outside_.clock, slots_};
  CreateOrder order_;
  DriverTrace trace_;
};

using When = simulated::Fault::When;

TEST_F(ResourceDriverTest, GivesTheActiveObject) {
  const auto made = create();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->state, ResourceState::active);
  EXPECT_FALSE(made->native_id.empty());
}

TEST_F(ResourceDriverTest, ARefusalLeavesNoDoubt) {
  outside_.faults.plan("create", fault(When::before, ErrorClass::quota));
  const auto made = create();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().cls, ErrorClass::quota);
  EXPECT_FALSE(trace_.may_appear);
}

TEST_F(ResourceDriverTest, AnAnswerThatNeverCameLeavesDoubt) {
  outside_.faults.plan("create", fault(When::before, ErrorClass::transient));
  ASSERT_FALSE(create());
  EXPECT_TRUE(trace_.may_appear);
}

TEST_F(ResourceDriverTest, WhatALostAnswerMadeIsAdoptedAtOnce) {
  outside_.faults.plan("create", fault(When::after, ErrorClass::transient));
  ASSERT_TRUE(create());
  EXPECT_EQ(outside_.audit().creates.at("t-one"), 1);
}

TEST_F(ResourceDriverTest, AnEarlierCreateThatShowsLateIsAdopted) {
  outside_.cloud->create_later(order_.spec, order_.ownership, outside_.clock.now() + 20ms);
  order_.doubt_until = outside_.clock.now() + 60s;
  ASSERT_TRUE(create());
  EXPECT_EQ(outside_.audit().creates.at("t-one"), 1);
}

TEST_F(ResourceDriverTest, ASecondCreateWaitsForTheEndOfTheDoubt) {
  const WallTime until = outside_.clock.now() + 50ms;
  order_.doubt_until = until;
  const auto made = create();
  ASSERT_TRUE(made);
  EXPECT_GE(made->created_at, until);
}

TEST_F(ResourceDriverTest, OfSeveralTheOldestLiveOneStays) {
  ASSERT_TRUE(outside_.cloud->create(order_.spec, order_.ownership, outside_.clock.now()));
  const auto first = create();
  ASSERT_TRUE(first);
  ASSERT_TRUE(outside_.cloud->create(order_.spec, order_.ownership, outside_.clock.now()));
  order_.doubt_until = outside_.clock.now();
  const auto kept = create();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->native_id, first->native_id);
  const WallTime later = outside_.clock.now() + 60s;
  EXPECT_EQ(outside_.cloud->audit(later).live.size(), 1U);
}

TEST_F(ResourceDriverTest, ABrokenObjectIsRemovedAndItsFaultTold) {
  outside_.cloud->fail_boots(1);
  CreateOrder order = order_;
  InstanceSpec machine;
  machine.hostname = "web-0";
  ASSERT_TRUE(create());
  machine.network.native_id = outside_.audit().live.front().native_id;
  order.spec = machine;
  order.ownership.token.value = "t-two";
  const auto made = tutti::test::run(context_, driver_.create(order, trace_));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "fault");
  EXPECT_FALSE(trace_.may_appear);
  EXPECT_EQ(outside_.audit().live.size(), 1U) << "the network alone";
}

TEST_F(ResourceDriverTest, DestroysUntilTheListingIsEmpty) {
  ASSERT_TRUE(create());
  outside_.faults.plan("destroy", fault(When::after, ErrorClass::transient));
  ASSERT_TRUE(destroy());
  EXPECT_TRUE(outside_.audit().live.empty());
  EXPECT_TRUE(destroy()) << "what is gone is gone";
}

TEST_F(ResourceDriverTest, ADestroySaysSoonThatTheCloudDoesNotAnswer) {
  JumpingClock clock;
  const auto provider =
      simulated::make_in_process_provider(*outside_.cloud, outside_.faults, clock);
  ResourceDriver driver(*provider, clock, slots_);
  ASSERT_TRUE(tutti::test::run(context_, driver.create(order_, trace_)));
  outside_.faults.plan("list", fault(When::before, ErrorClass::transient), 10000);
  DestroyOrder order;
  order.kind = ResourceKind::network;
  order.ownership = order_.ownership;
  const WallTime begun = clock.now();
  const auto gone = tutti::test::run(context_, driver.destroy(order));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, "connection_lost");
  EXPECT_GE(clock.now() - begun, ResourceDriver::kSilence);
  EXPECT_LT(clock.now() - begun, ResourceDriver::kSilence + 5s);
}

TEST_F(ResourceDriverTest, ADestroyBearsALongSeriesOfErrorsWithAnswersInBetween) {
  JumpingClock clock;
  const auto provider =
      simulated::make_in_process_provider(*outside_.cloud, outside_.faults, clock);
  ResourceDriver driver(*provider, clock, slots_);
  ASSERT_TRUE(tutti::test::run(context_, driver.create(order_, trace_)));
  outside_.cloud->options().destroy_time = 90s;
  for (int i = 0; i < 60; ++i) {
    outside_.faults.plan("list", fault(When::before, ErrorClass::transient));
    outside_.faults.plan("list", simulated::Fault());
  }
  DestroyOrder order;
  order.kind = ResourceKind::network;
  order.ownership = order_.ownership;
  EXPECT_TRUE(tutti::test::run(context_, driver.destroy(order)));
  EXPECT_TRUE(outside_.cloud->audit(clock.now()).live.empty());
}

TEST_F(ResourceDriverTest, ADestroyWaitsForWhatMayStillAppear) {
  const WallTime now = outside_.clock.now();
  outside_.cloud->create_later(order_.spec, order_.ownership, now + 15ms);
  ASSERT_TRUE(destroy(now + 30ms));
  EXPECT_TRUE(outside_.audit().live.empty());
  EXPECT_EQ(outside_.audit().creates.at("t-one"), 1) << "it did appear, and was removed";
}

TEST_F(ResourceDriverTest, OthersObjectsAreLeftAlone) {
  ASSERT_TRUE(create());
  Resource foreign = outside_.audit().live.front();
  foreign.native_id = NativeId("foreign");
  foreign.ownership.token.value = "t-foreign";
  outside_.cloud->plant(foreign);
  ASSERT_TRUE(destroy());
  ASSERT_EQ(outside_.audit().live.size(), 1U);
  EXPECT_EQ(outside_.audit().live.front().ownership.token.value, "t-foreign");
}

}  // namespace
}  // namespace tutti::engine::test
