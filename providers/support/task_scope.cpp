#include "providers/support/task_scope.hpp"

#include "providers/base/result.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <map>
#include <vector>

namespace tutti {
namespace net = boost::asio;

// Lives on one executor's thread. Finished tasks erase themselves; whoever joins waits on a channel
// that is closed when the last task has gone.
struct TaskScope::State {
  using Gate = net::experimental::channel<void(boost::system::error_code)>;

  State(net::any_io_executor ex, std::function<void(std::string_view)> report)
      : executor(std::move(ex)), on_exception(std::move(report)) {}

  void finished(std::uint64_t task, std::exception_ptr exception) {
    if (exception) report(exception);
    tasks.erase(task);
    if (!tasks.empty()) return;
    const auto open = std::exchange(gates, {});
    for (const auto& gate : open) gate->close();
  }

  void report(const std::exception_ptr& exception) const {
    try {
      std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
      // How a cancelled coroutine ends.
      if (error.code() != net::error::operation_aborted) on_exception(error.what());
    } catch (const std::exception& error) {
      on_exception(error.what());
    } catch (...) {
      on_exception("an exception of an unknown type");
    }
  }

  net::any_io_executor executor;
  std::function<void(std::string_view)> on_exception;
  std::map<std::uint64_t, std::shared_ptr<net::cancellation_signal>> tasks;
  std::vector<std::shared_ptr<Gate>> gates;
  std::uint64_t next = 1;
};

namespace {

// Starts by a post, so that spawn() never runs a line of the task itself.
net::awaitable<void> run_posted(net::awaitable<void> task) {
  co_await net::post(co_await net::this_coro::executor, net::use_awaitable);
  co_await std::move(task);
}

}  // namespace

TaskScope::TaskScope(net::any_io_executor executor,
                     std::function<void(std::string_view)> on_exception)
    : state_(std::make_shared<State>(std::move(executor), std::move(on_exception))) {}

TaskScope::~TaskScope() {
  TUTTI_ASSERT(state_->tasks.empty());
}

std::uint64_t TaskScope::spawn(net::awaitable<void> task) {
  const std::uint64_t id = state_->next++;
  const auto signal = std::make_shared<net::cancellation_signal>();
  state_->tasks.emplace(id, signal);
  auto on_end = [state = state_, signal, id](std::exception_ptr exception) {
    state->finished(id, std::move(exception));
  };
  net::co_spawn(
      state_->executor, run_posted(std::move(task)),
      net::bind_cancellation_slot(signal->slot(), net::bind_executor(state_->executor, on_end)));
  return id;
}

void TaskScope::cancel(std::uint64_t task) {
  const auto found = state_->tasks.find(task);
  if (found == state_->tasks.end()) return;
  const auto signal = found->second;  // the task may end while it is told
  signal->emit(net::cancellation_type::terminal);
}

void TaskScope::cancel_all() {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, signal] : state_->tasks) ids.push_back(id);
  for (const std::uint64_t id : ids) cancel(id);
}

net::awaitable<void> TaskScope::join() {
  while (!state_->tasks.empty()) {
    const auto gate = std::make_shared<State::Gate>(state_->executor, 0);
    state_->gates.push_back(gate);
    co_await gate->async_receive(net::as_tuple(net::use_awaitable));
  }
}

std::size_t TaskScope::size() const {
  return state_->tasks.size();
}

}  // namespace tutti
