#include "providers/simulated/simulated_provider.hpp"

namespace tutti::simulated {
namespace net = boost::asio;
namespace {

class InProcessProvider final : public Provider {
 public:
  InProcessProvider(World& world, Faults& faults, Clock& clock)
      : world_(world), faults_(faults), clock_(clock) {}

  const ProviderCapabilities& capabilities() const override {
    return world_.options().capabilities;
  }

  net::awaitable<Result<Catalogue>> catalogue() override {
    const Fault fault = faults_.next("catalogue");
    const auto ask = [this]() -> Result<Catalogue> { return world_.catalogue(clock_.now()); };
    co_return co_await travel(fault, ask);
  }

  net::awaitable<Result<NativeId>> create(const ResourceSpec& spec,
                                          const Ownership& ownership) override {
    Fault fault = faults_.next("create");
    const bool delayed = fault.request_delay.count() > 0;
    const auto& token = ownership.token.value;
    if (!delayed || fault.when == Fault::When::before) {
      const auto ask = [&] { return world_.create(spec, ownership, clock_.now()); };
      co_return co_await travel(fault, ask);
    }
    // On its way by itself: what the caller does meanwhile does not stop it.
    world_.create_later(spec, ownership, clock_.now() + fault.request_delay);
    const auto ask = [&]() -> Result<NativeId> {
      const Audit audit = world_.audit(clock_.now());
      for (auto it = audit.live.rbegin(); it != audit.live.rend(); ++it) {
        const Ownership& other = it->ownership;
        if (other.token.value == token && other.owner == ownership.owner) return it->native_id;
      }
      return Error(ErrorClass::transient, "connection_lost", "the request was lost on its way");
    };
    co_return co_await travel(fault, ask);
  }

  net::awaitable<Result<std::vector<Resource>>> find(const Ownership& ownership,
                                                     ResourceKind kind) override {
    const Fault fault = faults_.next("find");
    const auto ask = [&]() -> Result<std::vector<Resource>> {
      return world_.find(ownership, kind, clock_.now());
    };
    co_return co_await travel(fault, ask);
  }

  net::awaitable<Result<std::vector<Resource>>> list_owned(
      const OwnerId& owner, const DeploymentId& deployment) override {
    const Fault fault = faults_.next("list");
    const auto ask = [&]() -> Result<std::vector<Resource>> {
      return world_.list_owned(owner, deployment, clock_.now());
    };
    co_return co_await travel(fault, ask);
  }

  net::awaitable<Result<void>> set_power(const Resource& resource, Power power) override {
    const Fault fault = faults_.next("power");
    const auto ask = [&] { return world_.set_power(resource, power, clock_.now()); };
    co_return co_await travel(fault, ask);
  }

  net::awaitable<Result<void>> destroy(const Resource& resource) override {
    const Fault fault = faults_.next("destroy");
    const auto ask = [&] { return world_.destroy(resource, clock_.now()); };
    co_return co_await travel(fault, ask);
  }

 private:
  // There and back again, with what goes wrong on either way.
  template <class Ask>
  net::awaitable<std::invoke_result_t<const Ask&>> travel(const Fault& fault, const Ask& ask) {
    if (fault.request_delay.count() > 0) co_await clock_.sleep_for(fault.request_delay);
    if (fault.when == Fault::When::before) co_return fault.error();
    auto answer = ask();
    if (fault.answer_delay.count() > 0) co_await clock_.sleep_for(fault.answer_delay);
    if (fault.when == Fault::When::after) co_return fault.error();
    co_return answer;
  }

  World& world_;
  Faults& faults_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<Provider> make_in_process_provider(World& world, Faults& faults, Clock& clock) {
  return std::make_unique<InProcessProvider>(world, faults, clock);
}

}  // namespace tutti::simulated
