// A small pool for what blocks: SQLite, YAML, crypto, files. The control and HTTP threads hand work
// here and await the result on their own executor.
#pragma once

#include <boost/asio/awaitable.hpp>
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
  // Pass a named callable (GCC 12 destroys temporary lambdas that own captures twice).
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work&>> run(Work& work) {
    auto body = [&work]() -> boost::asio::awaitable<std::invoke_result_t<Work&>> {
      co_return work();
    };
    co_return co_await boost::asio::co_spawn(pool_, body, boost::asio::use_awaitable);
  }

  // Finishes what is queued and joins the threads.
  void stop();

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace tutti
