// The two ways to the simulated cloud: within the process in any Clock's time (simulator, unit
// tests), or over a unix socket to tutti-simcloud, whose world outlives the daemon.
#pragma once

#include "providers/provider.hpp"
#include "providers/simulated/faults.hpp"
#include "providers/simulated/world.hpp"
#include "providers/support/clock.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace tutti::simulated {

// All three outlive the provider. A caller that is cancelled in mid-request leaves the request on
// its way: a create may have its effect later.
[[nodiscard]] std::unique_ptr<Provider> make_in_process_provider(World& world, Faults& faults,
                                                                 Clock& clock);

// `capabilities` must be what the other side's world was started with.
[[nodiscard]] std::unique_ptr<Provider> make_remote_provider(
    boost::asio::any_io_executor executor, const std::string& socket,
    const ProviderCapabilities& capabilities = default_capabilities());

}  // namespace tutti::simulated
