// CPU time of the server for one GET /deployments/{id}, over that of a raw socket server (no HTTP:
// it answers every read with the same bytes), both under the same load in the same run.
//
//   status_bench [--connections 64] [--seconds 3] [--rounds 5] [--deployments 1000]
//
// Each server runs in a process of its own; rounds alternate between them, and the medians are
// reported as JSON. CPU is user + system time from /proc/<pid>/stat, in ticks of 10 ms.
#include "providers/support/clock.hpp"
#include "server/api/api.hpp"
#include "server/http/server.hpp"
#include "server/view/view.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <signal.h>
#include <sstream>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

namespace net = boost::asio;
using net::ip::tcp;
using Clock = std::chrono::steady_clock;

struct Settings {
  int connections = 64;
  int seconds = 3;
  int rounds = 5;
  int deployments = 1000;
};

std::string id_of(int number) {
  std::string digits = std::to_string(number);
  return "0190163a-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

// --- What is measured: the real HTTP server, API and view -------------------------------------

// A complete deployment with a handful of outputs: about 1 KiB of JSON, as usual ones have.
tutti::view::Facts facts_of(int number) {
  tutti::reconcile::DeploymentState state;
  state.id = tutti::DeploymentId(id_of(number));
  state.status = tutti::reconcile::DeploymentStatus::create_complete;
  tutti::reconcile::ResourceRecord network;
  network.id = tutti::ResourceId("network/private");
  network.status = tutti::reconcile::ResourceRecord::Status::active;
  state.resources.emplace(network.id, network);
  tutti::tosca::Topology topology;
  for (int i = 0; i < 4; ++i) {
    topology.outputs["endpoint_" + std::to_string(i)].value =
        tutti::tosca::Value("https://10.213.0.200:" + std::to_string(5050 + i) + "/");
  }
  tutti::view::Facts facts;
  facts.state = std::make_shared<const tutti::reconcile::DeploymentState>(state);
  facts.topology = std::make_shared<const tutti::tosca::Topology>(topology);
  return facts;
}

// Never called: the load only reads.
class NoStore final : public tutti::store::Store {
  using Fail = tutti::Error;
  static Fail none() { return {tutti::ErrorClass::unknown, "none", "no store"}; }

 public:
  tutti::OwnerId owner() const override { return tutti::OwnerId("bench"); }
  net::awaitable<tutti::Result<tutti::store::Lease>> acquire() override { co_return none(); }
  net::awaitable<tutti::Result<void>> commit(tutti::store::Batch, tutti::store::Lease) override {
    co_return none();
  }
  net::awaitable<tutti::Result<std::vector<tutti::store::StateRow>>> load_states() override {
    co_return none();
  }
  net::awaitable<tutti::Result<std::optional<std::string>>> read_document(tutti::DeploymentId,
                                                                          std::string) override {
    co_return none();
  }
  net::awaitable<tutti::Result<std::vector<tutti::store::DocumentRow>>> read_documents(
      tutti::DeploymentId) override {
    co_return none();
  }
  net::awaitable<tutti::Result<std::vector<tutti::store::LogRow>>> read_log(tutti::DeploymentId,
                                                                            std::size_t) override {
    co_return none();
  }
  net::awaitable<tutti::Result<std::optional<tutti::store::IdempotencyRow>>> find_idempotency(
      std::string) override {
    co_return none();
  }
  net::awaitable<tutti::Result<void>> prune(tutti::WallTime) override { co_return none(); }
};

void serve_status(int deployments, const std::function<void(std::uint16_t)>& tell) {
  tutti::view::SiteInfo site;
  site.name = "local";
  site.provider = "docker";
  site.endpoint = "unix:///var/run/docker.sock";
  tutti::view::View view(site);
  for (int i = 0; i < deployments; ++i) view.publish(tutti::DeploymentId(id_of(i)), facts_of(i));
  NoStore store;
  tutti::view::ColdTexts texts(store, {});
  tutti::Offload offload(1);
  tutti::SystemClock clock;
  const auto handler = tutti::api::make_handler({{}, view, texts, offload, clock, {}});
  tutti::http::Options options;
  options.port = 0;
  auto server = tutti::http::Server::start(options, *handler, clock).value();
  tell(server->endpoint().port());
  pause();
}

// --- The floor --------------------------------------------------------------------------------

std::string raw_answer() {
  const std::string body(1000, 'x');
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class RawSession : public std::enable_shared_from_this<RawSession> {
 public:
  RawSession(tcp::socket socket, const std::string& answer)
      : socket_(std::move(socket)), answer_(answer) {}
  void read() {
    socket_.async_read_some(net::buffer(in_), [self = shared_from_this()](auto error, std::size_t) {
      if (!error) self->write();
    });
  }

 private:
  void write() {
    net::async_write(socket_, net::buffer(answer_),
                     [self = shared_from_this()](auto error, std::size_t) {
                       if (!error) self->read();
                     });
  }
  tcp::socket socket_;
  const std::string& answer_;
  std::array<char, 4096> in_{};
};

void accept_raw(tcp::acceptor& acceptor, const std::string& answer) {
  acceptor.async_accept([&](boost::system::error_code error, tcp::socket socket) {
    if (error) return;
    socket.set_option(tcp::no_delay(true));
    std::make_shared<RawSession>(std::move(socket), answer)->read();
    accept_raw(acceptor, answer);
  });
}

void serve_raw(const std::function<void(std::uint16_t)>& tell) {
  using ReusePort = net::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  const std::string answer = raw_answer();
  tcp::endpoint endpoint(net::ip::make_address("127.0.0.1"), 0);
  std::vector<std::jthread> threads;
  std::vector<std::unique_ptr<net::io_context>> contexts;
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
    contexts.push_back(std::make_unique<net::io_context>(1));
    auto acceptor = std::make_unique<tcp::acceptor>(*contexts.back());
    acceptor->open(endpoint.protocol());
    acceptor->set_option(tcp::acceptor::reuse_address(true));
    acceptor->set_option(ReusePort(true));
    acceptor->bind(endpoint);
    acceptor->listen();
    endpoint = acceptor->local_endpoint();
    accept_raw(*acceptor, answer);
    acceptors.push_back(std::move(acceptor));
  }
  for (auto& context : contexts) threads.emplace_back([&context] { context->run(); });
  tell(endpoint.port());
  pause();
}

// --- Processes and their CPU time -------------------------------------------------------------

struct Child {
  pid_t pid = 0;
  std::uint16_t port = 0;
};

Child spawn(const std::function<void(const std::function<void(std::uint16_t)>&)>& serve) {
  std::array<int, 2> pipe_ends{};
  if (pipe(pipe_ends.data()) != 0) throw std::runtime_error("pipe");
  Child child;
  child.pid = fork();
  if (child.pid == 0) {
    serve([&](std::uint16_t port) {
      if (write(pipe_ends[1], &port, sizeof port) != sizeof port) _exit(1);
    });
    _exit(0);
  }
  if (read(pipe_ends[0], &child.port, sizeof child.port) != sizeof child.port) {
    throw std::runtime_error("the server did not start");
  }
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  return child;
}

double cpu_seconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// --- The load: one request in flight on each of many connections
// ----------------------------------

struct Load {
  double seconds = 0;
  std::int64_t requests = 0;
  std::vector<double> latencies_us;
};

class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(context_) {
    socket_.connect({net::ip::make_address("127.0.0.1"), port});
    socket_.set_option(tcp::no_delay(true));
  }
  [[nodiscard]] int descriptor() { return socket_.native_handle(); }
  void ask(const std::string& request) {
    begin_ = Clock::now();
    net::write(socket_, net::buffer(request));
  }
  // True when the whole answer is there; it must be a 200.
  bool take() {
    std::array<char, 16384> chunk{};
    received_.append(chunk.data(), socket_.read_some(net::buffer(chunk)));
    const std::size_t head = received_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    if (!received_.starts_with("HTTP/1.1 200")) throw std::runtime_error(received_);
    const std::size_t length =
        std::stoul(received_.substr(received_.find("Content-Length: ") + 16));
    if (received_.size() < head + 4 + length) return false;
    received_.clear();
    return true;
  }
  [[nodiscard]] double microseconds() const {
    return std::chrono::duration<double, std::micro>(Clock::now() - begin_).count();
  }

 private:
  net::io_context context_;
  tcp::socket socket_;
  std::string received_;
  Clock::time_point begin_;
};

Load run_load(std::uint16_t port, const Settings& settings) {
  std::minstd_rand random(42);
  const auto request = [&] {
    return "GET /deployments/" + id_of(static_cast<int>(random() % settings.deployments)) +
           " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: bench\r\n"
           "Accept: application/json\r\nAuthorization: Bearer none\r\n\r\n";
  };
  const int poll = epoll_create1(0);
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < settings.connections; ++i) {
    connections.push_back(std::make_unique<Connection>(port));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connections.back().get();
    epoll_ctl(poll, EPOLL_CTL_ADD, connections.back()->descriptor(), &event);
  }
  Load load;
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::seconds(settings.seconds);
  for (auto& connection : connections) connection->ask(request());
  std::array<epoll_event, 64> events{};
  while (Clock::now() < end) {
    const int count = epoll_wait(poll, events.data(), events.size(), 100);
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events.at(static_cast<std::size_t>(i)).data.ptr);
      if (!connection.take()) continue;
      ++load.requests;
      load.latencies_us.push_back(connection.microseconds());
      connection.ask(request());
    }
  }
  close(poll);
  load.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return load;
}

// --- The report -------------------------------------------------------------------------------

struct Figures {
  std::vector<double> cpu_us;
  std::vector<double> per_second;
  std::vector<double> p99_us;
};

void measure(const Child& child, const Settings& settings, Figures& figures) {
  const double before = cpu_seconds(child.pid);
  Load load = run_load(child.port, settings);
  const double used = cpu_seconds(child.pid) - before;
  const auto requests = static_cast<double>(load.requests);
  figures.cpu_us.push_back(used * 1e6 / requests);
  figures.per_second.push_back(requests / load.seconds);
  std::sort(load.latencies_us.begin(), load.latencies_us.end());
  figures.p99_us.push_back(load.latencies_us.at(load.latencies_us.size() * 99 / 100));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
}

void print(const char* name, const Figures& figures) {
  std::cout << "  \"" << name << "\": {\"cpu_us_per_request\": " << median(figures.cpu_us)
            << ", \"cpu_us_least\": "
            << *std::min_element(figures.cpu_us.begin(), figures.cpu_us.end())
            << ", \"requests_per_second\": " << median(figures.per_second)
            << ", \"p99_us\": " << median(figures.p99_us) << "},\n";
}

Settings read_settings(int argc, char** argv) {
  Settings settings;
  const std::map<std::string, int*> names{{"--connections", &settings.connections},
                                          {"--seconds", &settings.seconds},
                                          {"--rounds", &settings.rounds},
                                          {"--deployments", &settings.deployments}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto found = names.find(argv[i]);
    if (found == names.end()) throw std::runtime_error(std::string("unknown option ") + argv[i]);
    *found->second = std::max(1, std::atoi(argv[i + 1]));
  }
  return settings;
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings = read_settings(argc, argv);
  const Child raw = spawn([](const auto& tell) { serve_raw(tell); });
  const Child status =
      spawn([&settings](const auto& tell) { serve_status(settings.deployments, tell); });
  Figures of_raw;
  Figures of_status;
  Figures warm_up;  // renders every snapshot once; not reported
  measure(status, settings, warm_up);
  for (int round = 0; round < settings.rounds; ++round) {
    measure(raw, settings, of_raw);
    measure(status, settings, of_status);
  }
  kill(raw.pid, SIGTERM);
  kill(status.pid, SIGTERM);
  waitpid(raw.pid, nullptr, 0);
  waitpid(status.pid, nullptr, 0);
  std::cout << "{\n  \"connections\": " << settings.connections
            << ", \"deployments\": " << settings.deployments << ",\n";
  print("raw", of_raw);
  print("status", of_status);
  std::cout << "  \"cpu_ratio\": " << median(of_status.cpu_us) / median(of_raw.cpu_us) << "\n}\n";
  return 0;
}
