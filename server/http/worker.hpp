// One HTTP thread: an io_context, its acceptor and the sessions it accepted. Internal to
// server/http. Everything here runs on the worker's own thread, so nothing needs a lock.
#pragma once

#include "providers/support/clock.hpp"
#include "providers/support/task_scope.hpp"
#include "server/http/handler.hpp"
#include "server/http/limits.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace tutti::http {

class Session;

// What all workers of a server share.
class Shared {
 public:
  Shared(Handler& application, Clock& time, Limits limit, Deadlines deadline)
      : handler(application), clock(time), limits(limit), deadlines(deadline) {}

  enum class Entry { served, refused, closed };
  // Counts a connection in, unless it is beyond the limits (closed).
  [[nodiscard]] Entry enter(const boost::asio::ip::address& peer);
  void leave(const boost::asio::ip::address& peer, Entry entry);

  // Memory for a body that is about to be received.
  [[nodiscard]] bool reserve_body(std::uint64_t size_bytes);
  void release_body(std::uint64_t size_bytes);

  Handler& handler;
  Clock& clock;
  const Limits limits;
  const Deadlines deadlines;

 private:
  std::mutex mutex_;
  std::size_t served_ = 0;
  std::size_t refused_ = 0;
  std::map<boost::asio::ip::address, std::size_t> served_by_peer_;
  std::atomic<std::uint64_t> body_bytes_{0};
};

// Deadlines are counted in ticks of the worker, which looks at all its sessions once per tick: no
// timer is armed and no clock is read for a request.
using Tick = std::uint64_t;
inline constexpr Tick kNever = std::numeric_limits<Tick>::max();

class Worker {
 public:
  explicit Worker(Shared& shared);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Where it listens: port 0 stands for any free one.
  boost::asio::ip::tcp::endpoint listen(const boost::asio::ip::tcp::endpoint& endpoint);
  // Spawns what accepts and ticks; run() of the context is the caller's.
  void start();
  // Stops accepting, ends idle sessions, and all of them when the drain deadline passes.
  void drain();
  [[nodiscard]] boost::asio::awaitable<void> finish();

  void add(Session& session) { sessions_.insert(&session); }
  void remove(Session& session) { sessions_.erase(&session); }
  // The first tick at which at least `time` has passed.
  [[nodiscard]] Tick tick_after(std::chrono::milliseconds time) const;
  [[nodiscard]] const std::string& date_header() const { return date_header_; }
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  [[nodiscard]] Shared& shared() { return shared_; }

 private:
  boost::asio::awaitable<void> accept_all();
  boost::asio::awaitable<void> tick_all();
  boost::asio::awaitable<void> end_drain();
  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

  Shared& shared_;
  boost::asio::io_context context_{1};
  boost::asio::ip::tcp::acceptor acceptor_{context_};
  TaskScope services_;
  TaskScope connections_;
  std::set<Session*> sessions_;
  Tick now_ = 0;
  std::string date_header_;
  bool draining_ = false;
};

}  // namespace tutti::http
