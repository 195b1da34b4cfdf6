#include "server/serve.hpp"

#include "providers/docker/address_pool.hpp"
#include "providers/docker/docker_provider.hpp"
#include "providers/simulated/simulated_provider.hpp"
#include "providers/support/http_client.hpp"
#include "providers/support/log.hpp"
#include "providers/support/private_folder.hpp"
#include "server/api/api.hpp"
#include "server/api/prepare.hpp"
#include "server/config/config.hpp"
#include "server/http/server.hpp"
#include "server/store/sqlite/sqlite_store.hpp"
#include "tosca/profiles/import_map.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tutti {
namespace {

namespace asio = boost::asio;
using config::Config;

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT: before any thread exists
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) return std::nullopt;
  return text.str();
}

std::optional<Config> load_config(const std::string& file) {
  std::string text;
  if (!file.empty()) {
    const auto content = read_file(file);
    if (!content) {
      std::cerr << "tutti: the configuration " << file << " cannot be read\n";
      return std::nullopt;
    }
    text = *content;
  }
  const config::Loaded loaded = config::load(file, text, environment, geteuid() == 0);
  for (const auto& diagnostic : loaded.diagnostics) std::cerr << tosca::format(diagnostic) << '\n';
  return loaded.config;
}

// The first folder that holds the playbooks: beside an installed binary, or in the source tree
// above a build folder.
std::string find_share_dir() {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  for (fs::path folder = binary.parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    for (const fs::path& candidate : {folder / "share/tutti", folder / "deploy"}) {
      if (fs::is_directory(candidate / "playbooks", error)) return candidate.string();
    }
  }
  return {};
}

std::optional<tosca::ImportMap> load_imports(const Config& config) {
  tosca::ImportMap map;
  for (const auto& [location, file] : config.imports) {
    const auto text = read_file(file);
    if (!text) {
      std::cerr << "tutti: imports: " << file << " (for " << location << ") cannot be read\n";
      return std::nullopt;
    }
    map.add(location, tosca::ImportedText{file, *text, true});
  }
  return map;
}

// A run's folder holds secrets for as long as it lasts: memory, not a disk.
std::string run_dir(const Config& config) {
  const std::string suffix = std::to_string(std::hash<std::string>{}(config.data_dir) % 0xFFFFFF);
  std::error_code error;
  if (std::filesystem::is_directory("/dev/shm", error)) {
    return "/dev/shm/tutti-" + std::to_string(geteuid()) + "-" + suffix;
  }
  return config.data_dir + "/runs";
}

LogLevel level_of(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warning") return LogLevel::warning;
  if (name == "error") return LogLevel::error;
  return LogLevel::info;
}

// Publishes to the view what the engine commits.
class ViewObserver final : public engine::Observer {
 public:
  explicit ViewObserver(view::View& view) : view_(view) {}
  void publish(const DeploymentId& deployment, engine::Published published) override {
    view_.publish(deployment,
                  {std::move(published.state), std::move(published.topology),
                   std::move(published.request_json), std::move(published.running_tasks)});
  }
  void forget(const DeploymentId& deployment) override { view_.forget(deployment); }

 private:
  view::View& view_;
};

// The parts of a running daemon, in the order in which they come up; they go in the opposite one.
class Daemon {
 public:
  Daemon(Config config, tosca::ImportMap imports, Sealer sealer)
      : config_(std::move(config)),
        imports_(std::move(imports)),
        sealer_(std::move(sealer)),
        offload_(3),
        docker_http_(control_.get_executor()),
        view_({config_.site_name, config_.site_provider,
               config_.site_provider == "docker" ? "unix://" + config_.docker_socket
                                                 : "unix://" + config_.simulated_socket}),
        observer_(view_) {}

  Result<void> start();
  // Runs until SIGINT or SIGTERM.
  void run();

 private:
  // Runs the control thread's work until this part of it has ended.
  void finish(asio::awaitable<void> work);
  std::unique_ptr<Provider> make_provider();
  engine::Options engine_options() const;
  asio::awaitable<void> look_at_site();
  asio::awaitable<void> stop();

  Config config_;
  tosca::ImportMap imports_;
  Sealer sealer_;
  asio::io_context control_{1};
  Offload offload_;
  SystemClock clock_;
  HttpClient docker_http_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Provider> provider_;
  std::unique_ptr<bootstrap::Bootstrapper> bootstrapper_;
  view::View view_;
  ViewObserver observer_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<view::ColdTexts> texts_;
  std::unique_ptr<http::Handler> handler_;
  std::unique_ptr<http::Server> server_;
};

std::unique_ptr<Provider> Daemon::make_provider() {
  if (config_.site_provider == "simulated") {
    return simulated::make_remote_provider(control_.get_executor(), config_.simulated_socket);
  }
  DockerOptions options;
  options.socket = config_.docker_socket;
  options.image = config_.docker_image;
  options.pool = config_.sandbox_pool;
  return make_docker_provider(options, docker_http_, clock_);
}

engine::Options Daemon::engine_options() const {
  engine::Options options;
  options.retry.first_delay = std::chrono::milliseconds(config_.retry_first_delay_ms);
  options.site.name = SiteName(config_.site_name);
  options.site.provider = config_.site_provider;
  options.site.capabilities = provider_->capabilities();
  for (const auto& [name, value] : config_.cluster_vars) options.common_vars[name] = value;
  options.common_vars["mesos_stack"] = config_.mesos_stack;
  options.max_deployments = static_cast<std::size_t>(config_.max_deployments);
  options.history = std::chrono::days(config_.history_days);
  return options;
}

Result<void> Daemon::start() {
  TUTTI_TRY(store_, store::open_sqlite(config_.data_dir + "/tutti.db", offload_));
  provider_ = make_provider();
  bootstrap::AnsibleOptions ansible;
  ansible.playbooks_dir = config_.share_dir + "/playbooks";
  ansible.roles_dir = config_.share_dir + "/roles";
  ansible.run_dir = run_dir(config_);
  ansible.state_dir = config_.data_dir + "/live";
  ansible.ssh_deadline = std::chrono::seconds(config_.ssh_deadline_seconds);
  ansible.parallel_runs = static_cast<int>(config_.parallel_runs);
  TUTTI_TRY(bootstrapper_, bootstrap::make_ansible_bootstrapper(control_.get_executor(), clock_,
                                                                offload_, std::move(ansible)));
  engine_ = std::make_unique<engine::Engine>(
      control_.get_executor(), *store_, *provider_, *bootstrapper_, clock_, offload_, sealer_,
      api::make_recovery_resolver(), observer_, engine_options());
  texts_ = std::make_unique<view::ColdTexts>(
      *store_, [this](const DeploymentId& deployment, const std::string& document,
                      const std::string& sealed) {
        return sealer_.unseal(sealed, engine::document_context(deployment, document));
      });

  api::Settings settings;
  settings.imports = imports_.resolver();
  settings.site = engine_options().site;
  settings.configuration = config_.configuration;
  settings.mesos_standins = config_.mesos_stack == "standin";
  handler_ = api::make_handler(
      {api::commands_of(*engine_), view_, *texts_, offload_, clock_, std::move(settings)});

  // Recovery first: nobody is answered before what was under way is known again.
  Result<void> recovered;
  auto recover = [&]() -> asio::awaitable<void> { recovered = co_await engine_->start(); };
  finish(recover());
  if (recovered) {
    http::Options http;
    http.address = config_.http_address;
    http.port = config_.http_port;
    http.threads = static_cast<std::size_t>(config_.http_threads);
    auto served = http::Server::start(http, *handler_, clock_);
    if (served) {
      server_ = std::move(*served);
      return {};
    }
    recovered = served.error();
  }
  finish(engine_->stop());  // what recovery began is left to the next start
  return recovered;
}

void Daemon::finish(asio::awaitable<void> work) {
  bool ended = false;
  asio::co_spawn(control_, std::move(work), [&](std::exception_ptr failure) {
    ended = true;
    if (failure) std::rethrow_exception(failure);
  });
  control_.restart();
  while (!ended && control_.run_one() > 0) {
  }
}

// A site that does not answer is told at the start already, and not refused: it may come back.
asio::awaitable<void> Daemon::look_at_site() {
  const auto catalogue = co_await provider_->catalogue();
  if (catalogue) co_return;
  log(LogLevel::warning, "the site does not answer; deployments wait for it",
      {{"site", config_.site_name}, {"cause", catalogue.error().describe()}});
}

asio::awaitable<void> Daemon::stop() {
  co_await server_->stop();
  co_await engine_->stop();
  control_.stop();
}

void Daemon::run() {
  std::ostringstream where;
  where << server_->endpoint();
  log(LogLevel::info, "tutti listens",
      {{"address", where.str()}, {"provider", config_.site_provider}, {"data", config_.data_dir}});
  if (config_.mesos_stack == "standin") {
    log(LogLevel::warning,
        "mesos_stack is standin: Mesos, Marathon and Chronos are imitations that run no tasks");
  }
  asio::co_spawn(control_, look_at_site(), asio::detached);
  asio::signal_set signals(control_, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code error, int) {
    if (error) return;
    log(LogLevel::info, "stopping; deployments go on at the next start");
    asio::co_spawn(control_, stop(), asio::detached);
    signals.async_wait([](boost::system::error_code again, int) {
      if (again) return;
      // Nothing is lost: a daemon may end at any moment.
      log(LogLevel::warning, "told to stop again: ending at once");
      std::_Exit(1);
    });
  });
  const auto work = asio::make_work_guard(control_);
  control_.restart();
  control_.run();
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65536);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int serve(const std::string& config_file) {
  auto config = load_config(config_file);
  if (!config) return 1;
  set_log_level(level_of(config->log_level));
  if (config->share_dir.empty()) config->share_dir = find_share_dir();
  if (config->share_dir.empty() ||
      !std::filesystem::is_directory(config->share_dir + "/playbooks")) {
    std::cerr << "tutti: no playbooks in share_dir '" << config->share_dir
              << "'; set share_dir (TUTTI_SHARE_DIR) to the deploy folder\n";
    return 1;
  }
  if (config->site_provider == "simulated" && config->simulated_socket.empty()) {
    std::cerr << "tutti: site.provider simulated needs simulated.socket\n";
    return 1;
  }
  if (!docker::parse_range(config->sandbox_pool)) {
    std::cerr << "tutti: sandbox.pool: '" << config->sandbox_pool
              << "' is no IPv4 network such as 10.213.0.0/16\n";
    return 1;
  }
  auto imports = load_imports(*config);
  if (!imports) return 1;
  std::error_code ignored;
  config->data_dir = std::filesystem::weakly_canonical(config->data_dir, ignored).string();
  if (const auto made = make_private_folder(config->data_dir); !made) {
    std::cerr << "tutti: data_dir: " << made.error().describe() << '\n';
    return 1;
  }
  auto sealer = Sealer::open(config->key_file);
  if (!sealer) {
    std::cerr << "tutti: " << sealer.error().describe() << '\n';
    return 1;
  }
  raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);  // a reader of the log that goes must not end the daemon
  Daemon daemon(std::move(*config), std::move(*imports), std::move(*sealer));
  if (const auto started = daemon.start(); !started) {
    std::cerr << "tutti: " << started.error().describe() << '\n';
    return 1;
  }
  daemon.run();
  return 0;
}

}  // namespace tutti
