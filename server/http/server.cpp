#include "server/http/server.hpp"

#include "server/http/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <thread>
#include <vector>

namespace tutti::http {

namespace net = boost::asio;
using net::ip::tcp;

namespace {

using WorkGuard = net::executor_work_guard<net::io_context::executor_type>;

// SO_REUSEPORT would let a second daemon share the port without a word; this bind would not.
// Nothing to ask where any free port will do: the kernel gives one that nobody has.
Result<void> probe(const tcp::endpoint& endpoint) {
  if (endpoint.port() == 0) return {};
  net::io_context context;
  tcp::acceptor acceptor(context);
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(1, error);
  if (!error) return {};
  const auto cls = error == net::error::address_in_use ? ErrorClass::conflict : ErrorClass::invalid;
  return Error(cls, "listen",
               "cannot listen on " + endpoint.address().to_string() + " port " +
                   std::to_string(endpoint.port()) + ": " + error.message());
}

}  // namespace

struct Server::Impl {
  Impl(const Options& options, Handler& handler, Clock& clock)
      : shared(handler, clock, options.limits, options.deadlines) {}

  void begin_drain() {
    for (const auto& worker : workers) {
      net::post(worker->context(), [worker = worker.get()] { worker->drain(); });
    }
  }

  Shared shared;
  tcp::endpoint endpoint;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<WorkGuard> guards;
  std::vector<std::jthread> threads;
  bool stopped = false;
};

Result<std::unique_ptr<Server>> Server::start(const Options& options, Handler& handler,
                                              Clock& clock) {
  boost::system::error_code error;
  const auto address = net::ip::make_address(options.address, error);
  if (error || !address.is_loopback()) {
    return Error(ErrorClass::invalid, "address",
                 "'" + options.address +
                     "' is not a loopback address; only 127.0.0.1 and ::1 are "
                     "served until there are TLS and tokens");
  }
  const tcp::endpoint wanted(address, options.port);
  if (auto free = probe(wanted); !free) return std::move(free).error();
  auto impl = std::make_unique<Impl>(options, handler, clock);
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t count = options.threads != 0 ? options.threads : cores;
  for (std::size_t i = 0; i < count; ++i) {
    auto worker = std::make_unique<Worker>(impl->shared);
    try {
      impl->endpoint = worker->listen(i == 0 ? wanted : impl->endpoint);
    } catch (const boost::system::system_error& failure) {
      return Error(ErrorClass::conflict, "listen", failure.what());
    }
    impl->workers.push_back(std::move(worker));
  }
  for (const auto& worker : impl->workers) {
    worker->start();
    impl->guards.emplace_back(worker->context().get_executor());
    impl->threads.emplace_back([worker = worker.get()] { worker->context().run(); });
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  if (!impl_->stopped) {
    impl_->begin_drain();
    for (const auto& worker : impl_->workers) {
      net::co_spawn(worker->context(), worker->finish(), net::use_future).get();
    }
  }
  impl_->guards.clear();
}

tcp::endpoint Server::endpoint() const {
  return impl_->endpoint;
}

net::awaitable<void> Server::stop() {
  TUTTI_ASSERT(!impl_->stopped);
  impl_->stopped = true;
  impl_->begin_drain();
  for (const auto& worker : impl_->workers) {
    co_await net::co_spawn(worker->context(), worker->finish(), net::use_awaitable);
  }
}

}  // namespace tutti::http
