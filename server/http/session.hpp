// One connection: reads requests in order, refuses what the policy refuses, awaits the handler and
// writes its answers. Internal to server/http; lives on its worker's thread.
#pragma once

#include "server/http/request_policy.hpp"
#include "server/http/worker.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <optional>
#include <string>

namespace tutti::http {

class Session {
 public:
  // `refused`: over a connection limit; the first request gets 503.
  Session(boost::asio::ip::tcp::socket socket, Worker& worker, bool refused);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] boost::asio::awaitable<void> run();

  // From the worker, between steps of run().
  void on_tick(Tick now);
  void drain();  // ends it where no request is under way
  void close();

 private:
  enum class Step { done, rejected, gone };

  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<Step> receive_head();
  boost::asio::awaitable<Step> receive_body(std::uint64_t limit_bytes);
  boost::asio::awaitable<Step> receive_body_bytes();
  boost::asio::awaitable<Response> call_handler();
  boost::asio::awaitable<bool> read_more();
  boost::asio::awaitable<bool> send(Response& response, bool keep_alive);
  boost::asio::awaitable<void> refuse(Response response);
  boost::asio::awaitable<void> discard_rest();
  Step reject(unsigned status, std::string message);
  void take_request();
  void skip_empty_lines();
  void begin_phase(std::chrono::milliseconds limit);
  void end_phase() { deadline_ = kNever; }
  void write_head(const Response& response, bool keep_alive);
  [[nodiscard]] std::string_view buffered() const;

  boost::asio::ip::tcp::socket socket_;
  Worker& worker_;
  const bool refused_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Request request_;
  std::optional<Rejection> rejection_;
  std::string head_;        // of the response; kept for its memory
  Tick deadline_ = kNever;  // of the phase
  bool timed_out_ = false;  // the phase did
  bool idle_ = true;
  bool handler_failed_ = false;
  std::uint64_t served_ = 0;
};

}  // namespace tutti::http
