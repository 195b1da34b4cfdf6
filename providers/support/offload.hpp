// A small pool for what blocks: SQLite, YAML, crypto, files. The control and HTTP threads hand work
// here and await the result on their own executor.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <utility>

namespace tutti {

class Offload {
 public:
  explicit Offload(std::size_t threads);
  ~Offload();
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;

  // Runs work() on the pool and resumes the caller with its result; exceptions travel back.
  // Pass a named callable (GCC 12 destroys temporary lambdas that own captures twice). Cannot be
  // cancelled: work that was handed over is done and its result comes back; a caller that was
  // cancelled meanwhile learns it at its next await. A cancellation that crossed to the pool would
  // touch the caller's state from another thread.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work&>> run(Work& work) {
    auto body = [&work]() -> boost::asio::awaitable<std::invoke_result_t<Work&>> {
      co_return work();
    };
    auto uncancelled = boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(),
                                                           boost::asio::use_awaitable);
    co_return co_await boost::asio::co_spawn(pool_, body, std::move(uncancelled));
  }

  // Finishes what is queued and joins the threads.
  void stop();

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace tutti
