// Brings one cloud object into being or away, exactly once whatever answers are lost: a create is
// sent only when no earlier one can still appear, an object counts as gone only when the cloud's
// listing says so. Knows clouds only as Provider; decides nothing about deployments.
#pragma once

#include "providers/provider.hpp"
#include "providers/support/clock.hpp"
#include "providers/support/slots.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace tutti::engine {

struct CreateOrder {
  ResourceSpec spec;
  Ownership ownership;
  // An earlier create may have been sent: until this instant its object may become visible.
  std::optional<WallTime> doubt_until;
};

struct DestroyOrder {
  ResourceKind kind = ResourceKind::instance;
  Ownership ownership;
  std::optional<WallTime> doubt_until;  // of a create that was never answered
};

// Read by whoever cancels the driver: a request that was sent and not answered with a refusal may
// still take effect.
struct DriverTrace {
  bool may_appear = false;
};

class ResourceDriver {
 public:
  ResourceDriver(Provider& provider, Clock& clock, Slots& creates)
      : provider_(provider), clock_(clock), creates_(creates) {}

  // How long a cloud may take to make or to remove an object before the attempt is given up.
  static constexpr std::chrono::minutes kPatience{15};
  // How long a destroy goes on while the cloud answers with nothing but errors. Then the attempt
  // ends with the last of them, so that somebody hears of it.
  static constexpr std::chrono::seconds kSilence{30};
  // Beyond the visibility window: how long an object that the cloud said exists may stay unseen.
  static constexpr std::chrono::seconds kUnseen{10};

  // The active object. After an error `trace.may_appear` tells whether one may exist all the same.
  [[nodiscard]] boost::asio::awaitable<Result<Resource>> create(const CreateOrder& order,
                                                                DriverTrace& trace);
  [[nodiscard]] boost::asio::awaitable<Result<void>> destroy(const DestroyOrder& order);

 private:
  using Found = Result<std::optional<Resource>>;
  boost::asio::awaitable<Found> settle_doubt(const CreateOrder& order);
  struct Accepted {
    Accepted() = default;           // no aggregate: else a Result could not tell it from an Error
    std::optional<Error> conflict;  // what the cloud said when it refused a second object
  };
  boost::asio::awaitable<Result<Accepted>> request(const CreateOrder& order, DriverTrace& trace);
  boost::asio::awaitable<Found> find_one(const Ownership& ownership, ResourceKind kind);
  boost::asio::awaitable<Result<Resource>> until_active(const CreateOrder& order,
                                                        const Accepted& accepted);
  boost::asio::awaitable<Result<NativeId>> send(const CreateOrder& order);

  Provider& provider_;
  Clock& clock_;
  Slots& creates_;
};

}  // namespace tutti::engine
