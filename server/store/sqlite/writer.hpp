// The one thread that writes. Work that arrives while a transaction is being made durable waits and
// shares the next one: a commit costs one fsync, however many deployments it serves. Used by the
// SQLite store alone.
#pragma once

#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/tables.hpp"

#include <boost/asio/awaitable.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tutti::store::sqlite {

class Writer {
 public:
  // Runs on the writer's thread inside a transaction; an error undoes this work alone.
  using Work = std::function<Result<void>(Tables&)>;

  Writer(Database database, Tables tables);
  // Finishes what is queued. The executors that wait for answers must still live.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Durable when it answers without an error. Too much queued: throttled. Cannot be cancelled.
  [[nodiscard]] boost::asio::awaitable<Result<void>> submit(Work work);

 private:
  using Answer = std::function<void(Result<void>)>;
  struct Request {
    Work work;
    Answer answer;
    Result<void> result;
  };

  void loop();
  void write(std::deque<Request>& group);
  [[nodiscard]] Result<void> perform(std::deque<Request>& group);
  void push(Work work, Answer answer);

  Database database_;
  Tables tables_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Request> queue_;
  bool stopping_ = false;
  std::thread thread_;  // last: starts when all else is ready
};

}  // namespace tutti::store::sqlite
