#include "server/config/config.hpp"

#include "tosca/source/parse.hpp"
#include "tosca/source/tree.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

namespace tutti::config {
namespace {

using tosca::Diagnostic;
using tosca::Diagnostics;
using tosca::Node;
using tosca::Severity;
using tosca::SourceSpan;

// Where a value goes and what it may be; `check` answers what is wrong with it, or nothing.
struct Key {
  const char* name;         // dotted
  const char* environment;  // or ""
  const char* type;
  const char* fallback;  // as shown to people
  const char* meaning;
  std::string (*set)(Config&, const std::string& text);
};

template <class Number>
std::string set_number(Number& target, const std::string& text, std::int64_t least,
                       std::int64_t most) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return "expected an integer";
  if (number < least || number > most) {
    return "expected " + std::to_string(least) + " to " + std::to_string(most);
  }
  target = static_cast<Number>(number);
  return {};
}

std::string set_text(std::string& target, const std::string& text) {
  if (text.empty()) return "expected a text that is not empty";
  target = text;
  return {};
}

std::string set_choice(std::string& target, const std::string& text,
                       std::initializer_list<std::string_view> choices) {
  std::string all;
  for (const auto choice : choices) {
    if (choice == text) {
      target = text;
      return {};
    }
    all += (all.empty() ? "" : ", ") + std::string(choice);
  }
  return "expected one of " + all;
}

std::string set_address(Config& config, const std::string& text) {
  if (text != "127.0.0.1" && text != "::1" && text != "localhost") {
    return "only a loopback address (127.0.0.1, ::1) is allowed until TLS and tokens exist; put a "
           "reverse proxy in front";
  }
  config.http_address = text == "localhost" ? "127.0.0.1" : text;
  return {};
}

constexpr std::int64_t kDay = 86400;

const std::array kKeys = {
    Key{"http.address", "", "address", "127.0.0.1", "where the API listens; loopback alone",
        [](Config& c, const std::string& t) { return set_address(c, t); }},
    Key{"http.port", "TUTTI_PORT", "integer", "8080", "0 takes a free one",
        [](Config& c, const std::string& t) { return set_number(c.http_port, t, 0, 65535); }},
    Key{"http.threads", "", "integer", "0", "HTTP threads; 0: one for each core",
        [](Config& c, const std::string& t) { return set_number(c.http_threads, t, 0, 256); }},
    Key{"data_dir", "TUTTI_DATA_DIR", "path", "/var/lib/tutti or ~/.local/share/tutti",
        "the database, the key, live runs",
        [](Config& c, const std::string& t) { return set_text(c.data_dir, t); }},
    Key{"key_file", "TUTTI_KEY_FILE", "path", "data_dir/key", "seals secrets; made at first start",
        [](Config& c, const std::string& t) { return set_text(c.key_file, t); }},
    Key{"share_dir", "TUTTI_SHARE_DIR", "path", "beside the binary", "playbooks and roles",
        [](Config& c, const std::string& t) { return set_text(c.share_dir, t); }},
    Key{"site.name", "", "text", "local", "what the site is called in answers",
        [](Config& c, const std::string& t) { return set_text(c.site_name, t); }},
    Key{"site.provider", "TUTTI_PROVIDER", "docker | simulated", "docker", "the cloud",
        [](Config& c, const std::string& t) {
          return set_choice(c.site_provider, t, {"docker", "simulated"});
        }},
    Key{"docker.socket", "", "path", "/var/run/docker.sock", "the Docker Engine's socket",
        [](Config& c, const std::string& t) { return set_text(c.docker_socket, t); }},
    Key{"docker.image", "", "image", "tutti/instance:bookworm", "what instances are made of",
        [](Config& c, const std::string& t) { return set_text(c.docker_image, t); }},
    Key{"sandbox.pool", "", "network", "10.213.0.0/16", "each deployment gets a free /24 of it",
        [](Config& c, const std::string& t) { return set_text(c.sandbox_pool, t); }},
    Key{"simulated.socket", "TUTTI_SIMULATED_SOCKET", "path", "", "the simulated cloud, for tests",
        [](Config& c, const std::string& t) { return set_text(c.simulated_socket, t); }},
    Key{"cluster.mesos_stack", "TUTTI_MESOS_STACK", "standin | images", "images",
        "stand-ins imitate the outside of Mesos, Marathon and Chronos alone",
        [](Config& c, const std::string& t) {
          return set_choice(c.mesos_stack, t, {"standin", "images"});
        }},
    Key{"bootstrap.ssh_deadline_seconds", "", "integer", "180",
        "how long an instance may take to answer SSH",
        [](Config& c, const std::string& t) {
          return set_number(c.ssh_deadline_seconds, t, 1, kDay);
        }},
    Key{"bootstrap.parallel_runs", "", "integer", "8", "Ansible runs at once",
        [](Config& c, const std::string& t) { return set_number(c.parallel_runs, t, 1, 256); }},
    Key{"retry.first_delay_ms", "", "integer", "1000", "first delay of the backoff",
        [](Config& c, const std::string& t) {
          return set_number(c.retry_first_delay_ms, t, 1, 60000);
        }},
    Key{"limits.max_deployments", "", "integer", "10000", "more are refused",
        [](Config& c, const std::string& t) {
          return set_number(c.max_deployments, t, 1, 1000000);
        }},
    Key{"history_days", "", "integer", "30", "how long a deleted deployment's journal is kept",
        [](Config& c, const std::string& t) { return set_number(c.history_days, t, 1, 36500); }},
    Key{"log.level", "TUTTI_LOG_LEVEL", "debug | info | warning | error", "info", "",
        [](Config& c, const std::string& t) {
          return set_choice(c.log_level, t, {"debug", "info", "warning", "error"});
        }},
};

class Reader {
 public:
  Reader(Config& config, Diagnostics& diagnostics) : config_(config), diagnostics_(diagnostics) {}

  void read(const Node& node, const std::string& prefix) {
    if (!node.is_mapping()) {
      add(node.span(), "config.type", "expected a map of keys", "");
      return;
    }
    for (const auto& entry : node.entries) {
      const std::string name = prefix + std::string(entry.key->text);
      if (name == "imports") {
        read_map(*entry.value, name, "URL to file", config_.imports);
      } else if (name == "configuration") {
        read_map(*entry.value, name, "name to URL", config_.configuration);
      } else if (name == "cluster.vars") {
        read_map(*entry.value, name, "role variable to value", config_.cluster_vars);
      } else if (const Key* key = find(name)) {
        assign(*key, *entry.value);
      } else if (is_section(name)) {
        if (!entry.value->is_null()) read(*entry.value, name + ".");
      } else {
        add(entry.key->span(), "config.unknown-key", "unknown key '" + name + "'", nearest(prefix));
      }
    }
  }

 private:
  void add(const SourceSpan& span, std::string rule, std::string message, std::string hint) {
    diagnostics_.push_back(
        {Severity::error, std::move(rule), span, std::move(message), std::move(hint)});
  }

  static const Key* find(const std::string& name) {
    const auto found =
        std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& key) { return name == key.name; });
    return found == kKeys.end() ? nullptr : &*found;
  }

  static bool is_section(const std::string& name) {
    return std::any_of(kKeys.begin(), kKeys.end(), [&](const Key& key) {
      return std::string_view(key.name).starts_with(name + ".");
    });
  }

  static std::string nearest(const std::string& prefix) {
    std::string known;
    for (const Key& key : kKeys) {
      if (std::string_view(key.name).starts_with(prefix))
        known += (known.empty() ? "" : ", ") + std::string(key.name);
    }
    return "known here: " + known;
  }

  void assign(const Key& key, const Node& value) {
    if (!value.is_scalar() || value.is_null()) {
      add(value.span(), "config.type", std::string(key.name) + ": expected " + key.type, "");
      return;
    }
    const std::string wrong = key.set(config_, std::string(value.text));
    if (!wrong.empty())
      add(value.span(), "config.value", std::string(key.name) + ": " + wrong, key.meaning);
  }

  void read_map(const Node& node, const std::string& name, const std::string& what,
                std::map<std::string, std::string>& target) {
    if (node.is_null()) return;
    if (!node.is_mapping()) {
      add(node.span(), "config.type", name + ": expected a map of " + what, "");
      return;
    }
    for (const auto& entry : node.entries) {
      if (!entry.value->is_scalar() || entry.value->text.empty()) {
        add(entry.value->span(), "config.type", name + ": expected a map of " + what, "");
      } else {
        target[std::string(entry.key->text)] = std::string(entry.value->text);
      }
    }
  }

  Config& config_;
  Diagnostics& diagnostics_;
};

void apply_environment(Config& config, const Environment& environment, Diagnostics& diagnostics) {
  for (const Key& key : kKeys) {
    if (*key.environment == '\0') continue;
    const auto value = environment(key.environment);
    if (!value || value->empty()) continue;
    const std::string wrong = key.set(config, *value);
    if (wrong.empty()) continue;
    SourceSpan span{"environment variable " + std::string(key.environment), 1, 1, 1, 1};
    diagnostics.push_back({Severity::error, "config.value", std::move(span),
                           std::string(key.name) + ": " + wrong, key.meaning});
  }
}

}  // namespace

Loaded load(const std::string& file, const std::string& text, const Environment& environment,
            bool superuser) {
  Loaded loaded;
  Config config;
  const tosca::Document document = tosca::parse(file, text, {}, loaded.diagnostics);
  if (document.root() != nullptr && !document.root()->is_null()) {
    Reader(config, loaded.diagnostics).read(*document.root(), "");
  }
  apply_environment(config, environment, loaded.diagnostics);
  if (config.data_dir.empty()) {
    const auto home = environment("HOME");
    config.data_dir = superuser || !home ? "/var/lib/tutti" : *home + "/.local/share/tutti";
  }
  if (config.key_file.empty()) config.key_file = config.data_dir + "/key";
  if (!tosca::has_errors(loaded.diagnostics)) loaded.config = std::move(config);
  return loaded;
}

std::string describe_keys() {
  std::ostringstream out;
  for (const Key& key : kKeys) {
    out << key.name << "  (" << key.type << ", default " << (*key.fallback ? key.fallback : "none")
        << ")";
    if (*key.environment) out << "  environment " << key.environment;
    out << "\n    " << key.meaning << "\n";
  }
  out << "cluster.vars  (map of role variable to value)\n    for every playbook: "
         "zookeeper_image, consul_image, ...\n";
  out << "configuration  (map of name to URL)\n    what GET /configuration tells clients: im_url, "
         "slam_url, ...\n";
  out << "imports  (map of URL to file)\n    texts of imports, beside the embedded types\n";
  return out.str();
}

}  // namespace tutti::config
