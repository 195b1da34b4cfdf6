// Runs coroutines in tests: one io_context, ended when the coroutine ends.
#pragma once

#include "providers/support/random.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

namespace tutti::test {

// The coroutine's value; its exceptions travel on to the test.
template <class T>
T run(boost::asio::io_context& io, boost::asio::awaitable<T> task) {
  std::optional<T> value;
  std::exception_ptr exception;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T result) {
    exception = e;
    if (!e) value.emplace(std::move(result));
    io.stop();
  });
  io.restart();
  io.run();
  if (exception) std::rethrow_exception(exception);
  return std::move(*value);
}

inline void run(boost::asio::io_context& io, boost::asio::awaitable<void> task) {
  std::exception_ptr exception;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e) {
    exception = e;
    io.stop();
  });
  io.restart();
  io.run();
  if (exception) std::rethrow_exception(exception);
}

// A folder of the test's own, gone with it.
class TempFolder {
 public:
  TempFolder() : path_(std::filesystem::temp_directory_path() / ("tutti-test-" + make_uuid_v4())) {
    std::filesystem::create_directory(path_);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace tutti::test
