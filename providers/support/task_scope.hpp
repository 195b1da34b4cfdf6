// Structured concurrency: every coroutine that outlives its caller's next line belongs to a scope,
// is cancelled with it and is joined before it goes. Nothing else in the tree detaches, main aside.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace tutti {

class TaskScope {
 public:
  // `on_exception` gets the text of an exception that left a task: a broken invariant, never
  // routine.
  TaskScope(boost::asio::any_io_executor executor,
            std::function<void(std::string_view)> on_exception);
  ~TaskScope();  // asserts that the scope is empty
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

  // Starts the task on the scope's executor. The handle cancels this task alone.
  std::uint64_t spawn(boost::asio::awaitable<void> task);
  void cancel(std::uint64_t task);  // unknown or finished tasks are ignored
  void cancel_all();
  // Waits until every task has ended.
  [[nodiscard]] boost::asio::awaitable<void> join();
  [[nodiscard]] std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tutti
