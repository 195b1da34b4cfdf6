// What the server's unit tests share: running a coroutine to its end, folders that go away.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <utility>

namespace tutti::test {

// Runs the context until the coroutine has ended; its exception comes back.
template <class T>
T run(boost::asio::io_context& context, boost::asio::awaitable<T> task) {
  std::optional<T> value;
  std::exception_ptr thrown;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error, T result) {
    thrown = error;
    if (!error) value.emplace(std::move(result));
  });
  context.restart();
  while (!value && !thrown && context.run_one() > 0) {
  }
  if (thrown) std::rethrow_exception(thrown);
  if (!value) throw std::runtime_error("the coroutine never ended");
  return std::move(*value);
}

inline void run(boost::asio::io_context& context, boost::asio::awaitable<void> task) {
  bool ended = false;
  std::exception_ptr thrown;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error) {
    thrown = error;
    ended = true;
  });
  context.restart();
  while (!ended && context.run_one() > 0) {
  }
  if (thrown) std::rethrow_exception(thrown);
  if (!ended) throw std::runtime_error("the coroutine never ended");
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tutti-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace tutti::test
