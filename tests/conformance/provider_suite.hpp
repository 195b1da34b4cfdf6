// What every cloud's provider must do, as one suite. A cloud takes part by a test program that
// links provider_suite.cpp and instantiates ProviderSuite with a factory of its own.
#pragma once

#include "providers/provider.hpp"
#include "providers/support/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tutti::conformance {

// One cloud under test. Destroying it leaves nothing of the test behind.
class Cloud {
 public:
  virtual ~Cloud() = default;
  virtual Provider& provider() = 0;
  // Puts an object there as another user would make it, as like to `own` as the cloud allows: the
  // same name, the same token where labels can be forged, another owner.
  virtual void plant_look_alike(const Ownership& own, ResourceKind kind) = 0;
  // All that were planted are still there, unchanged.
  virtual bool look_alikes_stand() = 0;
};

struct CloudFactory {
  std::string name;
  // Null with a reason: the cloud is not to be had here, and the tests are skipped (a failure where
  // CI=true).
  std::function<std::unique_ptr<Cloud>(boost::asio::io_context& io, Clock& clock,
                                       std::string& why_not)>
      make;
};

class ProviderSuite : public testing::TestWithParam<CloudFactory> {
 public:
  void SetUp() override;
  void TearDown() override;

 protected:
  template <class T>
  using Task = boost::asio::awaitable<T>;

  // A resource of this test's deployment.
  Ownership own(const std::string& resource, int incarnation = 1) const;
  static ResourceSpec network_spec();
  static ResourceSpec address_spec(const NativeId& network);
  static ResourceSpec instance_spec(const NativeId& network, std::uint32_t index);

  // Each fails the test on an error; waits poll with a deadline.
  Task<NativeId> create(ResourceSpec spec, Ownership ownership);
  Task<Resource> wait_for(Ownership ownership, ResourceKind kind, ResourceState state);
  Task<std::vector<Resource>> find(Ownership ownership, ResourceKind kind);
  Task<std::vector<Resource>> list(OwnerId owner, DeploymentId deployment);
  Task<void> destroy_everything(OwnerId owner);

  Provider& provider() { return cloud_->provider(); }

  boost::asio::io_context io_;
  SystemClock clock_;
  std::unique_ptr<Cloud> cloud_;
  OwnerId owner_;
  DeploymentId deployment_;
};

}  // namespace tutti::conformance
