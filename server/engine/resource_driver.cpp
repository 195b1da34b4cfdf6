#include "server/engine/resource_driver.hpp"

#include "providers/support/log.hpp"
#include "server/engine/failpoint.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <vector>

namespace tutti::engine {
namespace net = boost::asio;
namespace {

// An adaptive poll: quick at first, patient later.
class Pace {
 public:
  explicit Pace(Clock& clock) : clock_(clock) {}
  net::awaitable<void> wait() {
    co_await clock_.sleep_for(pause_);
    pause_ = std::min(pause_ * 3 / 2, std::chrono::milliseconds(1000));
  }

 private:
  Clock& clock_;
  std::chrono::milliseconds pause_{20};
};

// A refusal that says for certain that nothing was made.
bool refused(const Error& error) {
  switch (error.cls) {
    case ErrorClass::transient:
    case ErrorClass::unknown:
      return false;
    case ErrorClass::throttled:
    case ErrorClass::quota:
    case ErrorClass::capacity:
    case ErrorClass::authentication:
    case ErrorClass::not_found:
    case ErrorClass::conflict:
    case ErrorClass::invalid:
      return true;
  }
  return false;
}

bool passes(const Error& error) {
  return error.cls == ErrorClass::transient || error.cls == ErrorClass::throttled ||
         error.cls == ErrorClass::unknown;
}

bool is_live(const Resource& resource) {
  return resource.state != ResourceState::failed && resource.state != ResourceState::deleting;
}

// Made in part by a create that ended early: another create goes on with it, waiting does not help.
bool is_incomplete(const Resource& resource) {
  const auto found = resource.attributes.find("incomplete");
  return found != resource.attributes.end() && found->second == "true";
}

}  // namespace

net::awaitable<Result<Resource>> ResourceDriver::create(const CreateOrder& order,
                                                        DriverTrace& trace) {
  trace.may_appear = order.doubt_until.has_value();
  TUTTI_CO_TRY(auto found, co_await settle_doubt(order));
  Accepted accepted;
  if (!found) {
    TUTTI_CO_TRY(accepted, co_await request(order, trace));
  }
  trace.may_appear = true;
  auto active = co_await until_active(order, accepted);
  if (!active && active.error().code == "fault") trace.may_appear = false;
  co_return active;
}

// An object of an earlier attempt, or the certainty that there is none and will be none.
net::awaitable<ResourceDriver::Found> ResourceDriver::settle_doubt(const CreateOrder& order) {
  if (!order.doubt_until) co_return std::optional<Resource>();
  Pace pace(clock_);
  while (true) {
    // The time is taken before the look: what appears in between is seen by the next one.
    const WallTime now = clock_.now();
    TUTTI_CO_TRY(auto found, co_await find_one(order.ownership, kind_of(order.spec)));
    if (found && is_incomplete(*found)) co_return std::optional<Resource>();
    const bool certain = provider_.capabilities().native_tokens.contains(kind_of(order.spec)) ||
                         now >= *order.doubt_until;
    if (found || certain) co_return found;
    co_await pace.wait();
  }
}

net::awaitable<Result<ResourceDriver::Accepted>> ResourceDriver::request(const CreateOrder& order,
                                                                         DriverTrace& trace) {
  const auto slot = co_await creates_.take();
  if (!slot) co_return Error(ErrorClass::transient, "cancelled", "the create was cancelled");
  trace.may_appear = true;
  const auto answer = co_await send(order);
  failpoint(kAfterAnswer);
  Accepted accepted;
  if (answer) co_return accepted;
  if (answer.error().cls == ErrorClass::conflict) {
    accepted.conflict = answer.error();
    co_return accepted;
  }
  if (refused(answer.error())) {
    trace.may_appear = false;  // whatever was in doubt had been settled before this request
    co_return answer.error();
  }
  // The answer may be all that was lost.
  const auto found = co_await find_one(order.ownership, kind_of(order.spec));
  if (found && *found && !is_incomplete(**found)) co_return accepted;
  co_return answer.error();
}

net::awaitable<Result<NativeId>> ResourceDriver::send(const CreateOrder& order) {
  using namespace net::experimental::awaitable_operators;
  if (!failpoint_armed(kAfterRequestSent)) {
    failpoint(kAfterRequestSent);
    co_return co_await provider_.create(order.spec, order.ownership);
  }
  // The request has certainly been sent when its object shows, or when it is answered.
  const auto shows = [&]() -> net::awaitable<void> {
    Pace pace(clock_);
    while (true) {
      const auto found = co_await find_one(order.ownership, kind_of(order.spec));
      if (found && *found) co_return;
      co_await pace.wait();
    }
  };
  auto either = provider_.create(order.spec, order.ownership) || shows();
  co_await std::move(either);
  failpoint(kAfterRequestSent);
  co_return Error(ErrorClass::unknown, "failpoint", "the failpoint did not kill");
}

// The object of this token: the oldest live one, or the oldest of all. The others are removed.
net::awaitable<ResourceDriver::Found> ResourceDriver::find_one(const Ownership& ownership,
                                                               ResourceKind kind) {
  TUTTI_CO_TRY(const auto found, co_await provider_.find(ownership, kind));
  if (found.empty()) co_return std::optional<Resource>();
  const auto live = std::find_if(found.begin(), found.end(), is_live);
  const Resource kept = live != found.end() ? *live : found.front();
  for (const Resource& surplus : found) {
    if (surplus.native_id == kept.native_id || surplus.state == ResourceState::deleting) continue;
    log(LogLevel::warning, "removing a surplus object of one create token",
        {{"deployment", ownership.deployment.value}, {"object", surplus.native_id.value}});
    const auto removed = co_await provider_.destroy(surplus);
    if (!removed) log(LogLevel::warning, removed.error().describe());
  }
  co_return std::optional<Resource>(kept);
}

net::awaitable<Result<Resource>> ResourceDriver::until_active(const CreateOrder& order,
                                                              const Accepted& accepted) {
  const ResourceKind kind = kind_of(order.spec);
  const WallTime deadline = clock_.now() + kPatience;
  const WallTime seen_by = clock_.now() + provider_.capabilities().visibility_window + kUnseen;
  Pace pace(clock_);
  bool powered = false;
  std::optional<Error> fault;
  while (true) {
    const auto found = co_await find_one(order.ownership, kind);
    if (!found && !passes(found.error())) co_return found.error();
    if (found && *found) {
      const Resource& resource = **found;
      if (resource.state == ResourceState::active) co_return resource;
      if (resource.state == ResourceState::failed) {
        if (!fault) {
          fault.emplace(ErrorClass::unknown, "fault", "the cloud says: " + resource.fault);
        }
        const auto removed = co_await provider_.destroy(resource);
        if (!removed && !passes(removed.error())) co_return removed.error();
      }
      if (resource.state == ResourceState::stopped && !std::exchange(powered, true)) {
        const auto on = co_await provider_.set_power(resource, Power::on);
        if (!on) log(LogLevel::warning, on.error().describe());
      }
    } else if (found && fault) {
      co_return *fault;  // the broken object is gone: the next attempt starts clean
    } else if (found && accepted.conflict && clock_.now() > seen_by) {
      co_return *accepted.conflict;  // what is in the way is not ours
    }
    if (clock_.now() > deadline) {
      co_return Error(ErrorClass::transient, "timeout",
                      std::string(to_string(kind)) + " was not ready in time");
    }
    co_await pace.wait();
  }
}

net::awaitable<Result<void>> ResourceDriver::destroy(const DestroyOrder& order) {
  const WallTime deadline = clock_.now() + kPatience;
  Pace pace(clock_);
  std::optional<Error> last;
  std::optional<WallTime> failing_since;
  while (true) {
    const WallTime now = clock_.now();
    const auto all =
        co_await provider_.list_owned(order.ownership.owner, order.ownership.deployment);
    if (!all && !passes(all.error())) co_return all.error();
    if (!all) last = all.error();
    bool left = !all;
    bool failing = !all;
    for (const Resource& resource : all ? *all : std::vector<Resource>()) {
      const bool ours =
          resource.kind == order.kind && resource.ownership.token == order.ownership.token;
      if (!ours) continue;
      left = true;
      if (resource.state == ResourceState::deleting) continue;
      const auto removed = co_await provider_.destroy(resource);
      failpoint(kAfterRequestSent);  // accepted perhaps, and certainly not known to be gone
      if (removed) continue;
      last = removed.error();
      // A conflict passes when what is in the way has gone.
      if (!passes(*last) && last->cls != ErrorClass::conflict) co_return *last;
      failing = failing || passes(*last);
    }
    const bool may_appear = order.doubt_until && now < *order.doubt_until;
    if (!left && !may_appear) co_return Result<void>();
    if (!failing) failing_since.reset();
    if (failing && !failing_since) failing_since = now;
    if (now > deadline || (failing_since && now > *failing_since + kSilence)) {
      if (last) co_return *last;
      co_return Error(ErrorClass::transient, "timeout",
                      std::string(to_string(order.kind)) + " was not gone in time");
    }
    co_await pace.wait();
  }
}

}  // namespace tutti::engine
