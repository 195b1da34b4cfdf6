#include "server/store/sqlite/writer.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace tutti::store::sqlite {
namespace {

constexpr std::size_t kLongestQueue = 100000;
constexpr std::size_t kLargestGroup = 1000;

}  // namespace

Writer::Writer(Database database, Tables tables)
    : database_(std::move(database)), tables_(std::move(tables)), thread_([this] { loop(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

boost::asio::awaitable<Result<void>> Writer::submit(Work work) {
  auto initiate = [this](auto handler, Work job) {
    using Handler = decltype(handler);
    auto kept = std::make_shared<Handler>(std::move(handler));
    auto guard = boost::asio::make_work_guard(boost::asio::get_associated_executor(*kept));
    push(std::move(job), [kept, guard](Result<void> result) {
      boost::asio::post(guard.get_executor(), [kept, result = std::move(result)]() mutable {
        (*kept)(std::move(result));
      });
    });
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&,
                                                 void(Result<void>)>(
      initiate, boost::asio::use_awaitable, std::move(work));
}

void Writer::push(Work work, Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < kLongestQueue) {
      queue_.push_back(Request{std::move(work), std::move(answer), Result<void>()});
      wake_.notify_one();
      return;
    }
  }
  answer(Error(ErrorClass::throttled, "store_queue_full",
               std::to_string(kLongestQueue) + " commits wait for the disk already"));
}

void Writer::loop() {
  while (true) {
    std::deque<Request> group;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      while (!queue_.empty() && group.size() < kLargestGroup) {
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    write(group);
  }
}

void Writer::write(std::deque<Request>& group) {
  auto done = perform(group);
  if (!done) (void)database_.execute("ROLLBACK");
  for (Request& request : group) {
    request.work = nullptr;
    if (!done && request.result) request.result = done.error();
    request.answer(std::move(request.result));
  }
}

Result<void> Writer::perform(std::deque<Request>& group) {
  if (auto begun = database_.execute("BEGIN IMMEDIATE"); !begun) return begun;
  for (Request& request : group) {
    if (auto saved = database_.execute("SAVEPOINT one"); !saved) return saved;
    request.result = request.work(tables_);
    const char* end = request.result ? "RELEASE one" : "ROLLBACK TO one; RELEASE one";
    if (auto ended = database_.execute(end); !ended) return ended;
  }
  return database_.execute("COMMIT");
}

}  // namespace tutti::store::sqlite
