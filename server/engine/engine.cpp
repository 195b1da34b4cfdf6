#include "server/engine/engine.hpp"

#include "server/engine/core.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tutti::engine {
namespace net = boost::asio;

Engine::Engine(net::any_io_executor control, store::Store& store, Provider& provider,
               bootstrap::Bootstrapper& bootstrapper, Clock& clock, Offload& offload,
               const Sealer& sealer, Resolver resolver, Observer& observer, Options options)
    : core_(std::make_unique<Core>(Parts{std::move(control), store, provider, bootstrapper, clock,
                                         offload, sealer, std::move(resolver), observer,
                                         std::move(options)})) {}

Engine::~Engine() = default;

// Each command runs to its end on the control thread, whatever becomes of its caller: what was
// committed must also be performed.
net::awaitable<Result<void>> Engine::start() {
  co_return co_await net::co_spawn(core_->control(), core_->start(), net::use_awaitable);
}

net::awaitable<void> Engine::stop() {
  co_await net::co_spawn(core_->control(), core_->stop(), net::use_awaitable);
}

net::awaitable<Result<DeploymentId>> Engine::create(CreateCommand command) {
  auto work = core_->create(std::move(command));
  co_return co_await net::co_spawn(core_->control(), std::move(work), net::use_awaitable);
}

net::awaitable<Result<void>> Engine::remove(DeploymentId deployment) {
  auto work = core_->remove(std::move(deployment));
  co_return co_await net::co_spawn(core_->control(), std::move(work), net::use_awaitable);
}

}  // namespace tutti::engine
