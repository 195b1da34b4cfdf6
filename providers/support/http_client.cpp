#include "providers/support/http_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <unordered_map>

namespace tutti {
namespace net = boost::asio;
using boost::system::error_code;

namespace {

using EasyHandle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void initialise_curl() {
  static const bool done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  TUTTI_ASSERT(done);
}

// What one request collects while curl works; lives in the frame of perform().
struct Exchange {
  HttpResponse response;
  std::size_t max_body_bytes = 0;
  bool body_too_large = false;
  char error_text[CURL_ERROR_SIZE] = {};
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  std::string& body = exchange.response.body;
  if (size * count > exchange.max_body_bytes - body.size()) {
    exchange.body_too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  body.append(data, size * count);
  return size * count;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& headers = static_cast<Exchange*>(user)->response.headers;
  const std::string_view line(data, size * count);
  const std::size_t colon = line.find(':');
  constexpr std::size_t kMaximumHeaders = 256;
  if (colon == std::string_view::npos || headers.size() >= kMaximumHeaders) return size * count;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
  const std::size_t end = line.find_last_not_of(" \t\r\n");
  headers[name] = begin == std::string_view::npos || end < begin
                      ? std::string()
                      : std::string(line.substr(begin, end - begin + 1));
  return size * count;
}

HeaderList make_headers(const HttpRequest& request) {
  HeaderList list(nullptr, &curl_slist_free_all);
  const auto append = [&list](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    TUTTI_ASSERT(longer != nullptr);
    static_cast<void>(list.release());
    list.reset(longer);
  };
  append("Expect:");  // no round trip to ask whether a body is welcome
  for (const auto& [name, value] : request.headers) append(name + ": " + value);
  return list;
}

template <class Value>
bool set_option(CURL* easy, CURLoption option, Value value) {
  return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

bool set_request(CURL* easy, const HttpRequest& request, curl_slist* headers) {
  bool good = set_option(easy, CURLOPT_URL, request.url.c_str()) &&
              set_option(easy, CURLOPT_HTTPHEADER, headers) &&
              set_option(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (request.method == "HEAD") {
    good = good && set_option(easy, CURLOPT_NOBODY, 1L);
  } else {
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
      good = good &&
             set_option(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                        static_cast<curl_off_t>(request.body.size())) &&
             set_option(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    good = good && set_option(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  if (!request.unix_socket.empty()) {
    good = good && set_option(easy, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
  }
  if (!request.ca_file.empty()) {
    good = good && set_option(easy, CURLOPT_CAINFO, request.ca_file.c_str());
  }
  return good;
}

bool set_limits(CURL* easy, const HttpRequest& request, Exchange& exchange) {
  exchange.max_body_bytes = request.max_body_bytes;
  return set_option(easy, CURLOPT_WRITEFUNCTION, &on_body) &&
         set_option(easy, CURLOPT_WRITEDATA, &exchange) &&
         set_option(easy, CURLOPT_HEADERFUNCTION, &on_header) &&
         set_option(easy, CURLOPT_HEADERDATA, &exchange) &&
         set_option(easy, CURLOPT_ERRORBUFFER, &exchange.error_text[0]) &&
         set_option(easy, CURLOPT_CONNECTTIMEOUT_MS,
                    static_cast<long>(request.connect_timeout.count())) &&
         set_option(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count())) &&
         set_option(easy, CURLOPT_NOSIGNAL, 1L) && set_option(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
         set_option(easy, CURLOPT_NOPROXY, "*") && set_option(easy, CURLOPT_SSL_VERIFYPEER, 1L) &&
         set_option(easy, CURLOPT_SSL_VERIFYHOST, 2L) &&
         set_option(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
}

Error error_of(CURLcode code, const Exchange& exchange, const HttpRequest& request) {
  std::string text = exchange.error_text;
  if (text.empty()) text = curl_easy_strerror(code);
  text = request.method + " to " +
         (request.unix_socket.empty() ? "the server" : request.unix_socket) + " failed: " + text;
  if (exchange.body_too_large) {
    return Error(ErrorClass::invalid, "body_too_large",
                 "the answer exceeds " + std::to_string(request.max_body_bytes) + " bytes");
  }
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return Error(ErrorClass::transient, "connect", text);
    case CURLE_OPERATION_TIMEDOUT:
      return Error(ErrorClass::transient, "timeout", text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return Error(ErrorClass::authentication, "tls", text);
    case CURLE_URL_MALFORMAT:
      return Error(ErrorClass::invalid, "request", text);
    case CURLE_ABORTED_BY_CALLBACK:
      return Error(ErrorClass::transient, "cancelled", text);
    default:
      return Error(ErrorClass::transient, "connection_lost", text);
  }
}

// One request that curl works on; completes its awaiting coroutine by a post, never inline.
struct Operation {
  virtual ~Operation() = default;
  virtual void complete(CURLcode code) = 0;
};

}  // namespace

// curl tells which descriptors and which moment it waits for; Asio waits and calls it back. curl
// owns the descriptors: they are released from Asio, never closed here.
struct HttpClient::Impl {
  struct Watch {
    Watch(const net::any_io_executor& ex, curl_socket_t fd) : descriptor(ex, fd) {}
    net::posix::stream_descriptor descriptor;
    int wanted = 0;
    bool reading = false, writing = false;
  };
  using WatchPtr = std::shared_ptr<Watch>;

  // Completions that are still queued when the client goes must find it gone: they hold this.
  std::shared_ptr<Impl*> self = std::make_shared<Impl*>(this);
  net::any_io_executor executor;
  net::steady_timer timer;
  CURLM* multi;
  std::unordered_map<curl_socket_t, WatchPtr> watches;
  std::unordered_map<CURL*, std::unique_ptr<Operation>> operations;

  Impl(net::any_io_executor ex, const HttpClientLimits& limits)
      : executor(std::move(ex)), timer(executor), multi((initialise_curl(), curl_multi_init())) {
    TUTTI_ASSERT(multi != nullptr);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, limits.connections_per_host);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, limits.connections);
  }

  ~Impl() {
    *self = nullptr;
    while (!operations.empty()) finish(operations.begin()->first, CURLE_ABORTED_BY_CALLBACK);
    // With the callbacks off, curl closes its kept connections without calling back.
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, nullptr);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, nullptr);
    for (const auto& [fd, watch] : watches) watch->descriptor.release();
    watches.clear();
    curl_multi_cleanup(multi);
  }

  template <class Token>
  auto async_perform(CURL* easy, Token&& token) {
    return net::async_initiate<Token, void(error_code, CURLcode)>(
        [this](auto handler, CURL* handle) { begin(handle, std::move(handler)); }, token, easy);
  }

  template <class Handler>
  void begin(CURL* easy, Handler handler) {
    struct Waiting final : Operation {
      Waiting(Handler h, net::any_io_executor ex)
          : handler(std::move(h)), executor(std::move(ex)) {}
      void complete(CURLcode code) override {
        net::get_associated_cancellation_slot(handler).clear();
        auto done = [h = std::move(handler), code]() mutable { std::move(h)(error_code(), code); };
        net::post(executor, std::move(done));
      }
      Handler handler;
      net::any_io_executor executor;
    };
    auto slot = net::get_associated_cancellation_slot(handler);
    operations[easy] = std::make_unique<Waiting>(std::move(handler), executor);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(self), easy](net::cancellation_type type) {
        const auto alive = weak.lock();
        if (type != net::cancellation_type::none && alive && *alive) {
          (*alive)->finish(easy, CURLE_ABORTED_BY_CALLBACK);
        }
      });
    }
    if (curl_multi_add_handle(multi, easy) != CURLM_OK) finish(easy, CURLE_FAILED_INIT);
  }

  void finish(CURL* easy, CURLcode code) {
    auto node = operations.extract(easy);
    if (node.empty()) return;
    curl_multi_remove_handle(multi, easy);
    node.mapped()->complete(code);
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
    }
  }

  void act(curl_socket_t fd, int event) {
    int running = 0;
    curl_multi_socket_action(multi, fd, event, &running);
    collect();
  }

  void arm(curl_socket_t fd, const WatchPtr& watch) {
    if ((watch->wanted & CURL_POLL_IN) != 0 && !watch->reading) {
      watch->reading = true;
      wait(fd, watch, net::posix::descriptor_base::wait_read, CURL_CSELECT_IN);
    }
    if ((watch->wanted & CURL_POLL_OUT) != 0 && !watch->writing) {
      watch->writing = true;
      wait(fd, watch, net::posix::descriptor_base::wait_write, CURL_CSELECT_OUT);
    }
  }

  void wait(curl_socket_t fd, const WatchPtr& watch, net::posix::descriptor_base::wait_type type,
            int event) {
    watch->descriptor.async_wait(
        type, [weak = std::weak_ptr(self), fd, watch, event](error_code error) {
          (event == CURL_CSELECT_IN ? watch->reading : watch->writing) = false;
          const auto alive = weak.lock();
          if (error || !alive || !*alive) return;
          (*alive)->on_ready(fd, watch, event);
        });
  }

  [[nodiscard]] bool is_current(curl_socket_t fd, const WatchPtr& watch) const {
    const auto found = watches.find(fd);
    return found != watches.end() && found->second == watch;  // else the number was used again
  }

  void on_ready(curl_socket_t fd, const WatchPtr& watch, int event) {
    if (!is_current(fd, watch)) return;
    act(fd, event);
    if (is_current(fd, watch)) arm(fd, watch);
  }

  static int on_socket(CURL*, curl_socket_t fd, int what, void* user, void*) {
    auto& impl = *static_cast<Impl*>(user);
    if (what == CURL_POLL_REMOVE) {
      const auto node = impl.watches.extract(fd);
      if (!node.empty()) {
        node.mapped()->wanted = 0;
        node.mapped()->descriptor.release();
      }
      return 0;
    }
    WatchPtr& watch = impl.watches[fd];
    if (!watch) watch = std::make_shared<Watch>(impl.executor, fd);
    watch->wanted = what;
    impl.arm(fd, watch);
    return 0;
  }

  // Curl must not be called from here: a wait of zero goes round through Asio as well.
  static int on_timer(CURLM*, long milliseconds, void* user) {
    auto& impl = *static_cast<Impl*>(user);
    if (milliseconds < 0) {
      impl.timer.cancel();
      return 0;
    }
    impl.timer.expires_after(std::chrono::milliseconds(milliseconds));
    impl.timer.async_wait([weak = std::weak_ptr(impl.self)](error_code error) {
      const auto alive = weak.lock();
      if (!error && alive && *alive) (*alive)->act(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
  }
};

HttpClient::HttpClient(net::any_io_executor executor, HttpClientLimits limits)
    : impl_(std::make_unique<Impl>(std::move(executor), limits)) {}

HttpClient::~HttpClient() = default;

net::awaitable<Result<HttpResponse>> HttpClient::perform(HttpRequest request) {
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://")) {
    co_return Error(ErrorClass::invalid, "request", "not an address of HTTP: " + request.url);
  }
  Exchange exchange;
  const HeaderList headers = make_headers(request);
  const EasyHandle easy(curl_easy_init(), &curl_easy_cleanup);
  TUTTI_ASSERT(easy != nullptr);
  if (!set_request(easy.get(), request, headers.get()) ||
      !set_limits(easy.get(), request, exchange)) {
    co_return Error(ErrorClass::invalid, "request", "the request cannot be made: " + request.url);
  }
  const auto [error, code] =
      co_await impl_->async_perform(easy.get(), net::as_tuple(net::use_awaitable));
  if (error || code != CURLE_OK) {
    co_return error_of(error ? CURLE_ABORTED_BY_CALLBACK : code, exchange, request);
  }
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  co_return std::move(exchange.response);
}

}  // namespace tutti
