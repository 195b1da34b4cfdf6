// What an operator can set: one YAML file, overridden by environment variables, with defaults that
// work. Every key is declared once with its type, default and meaning; a wrong key or value is
// refused with its place. Read once at start.
#pragma once

#include "tosca/source/diagnostic.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tutti::config {

struct Config {
  std::string http_address = "127.0.0.1";  // a loopback address
  std::uint16_t http_port = 8080;
  std::int64_t http_threads = 0;  // 0: one per core
  std::string data_dir;           // the database, the key, live runs
  std::string key_file;           // seals secrets; default data_dir/key
  std::string share_dir;          // playbooks and roles
  std::string site_name = "local";
  std::string site_provider = "docker";  // docker | simulated
  std::string docker_socket = "/var/run/docker.sock";
  std::string docker_image = "tutti/instance:bookworm";
  std::string sandbox_pool = "10.213.0.0/16";
  std::string simulated_socket;
  std::string mesos_stack = "images";  // standin | images
  // Variables of the roles, for every playbook: images by their names in a registry, sizes, ports.
  std::map<std::string, std::string> cluster_vars;
  std::int64_t ssh_deadline_seconds = 180;
  std::int64_t parallel_runs = 8;
  std::int64_t retry_first_delay_ms = 1000;
  std::int64_t max_deployments = 10000;
  std::int64_t history_days = 30;
  std::string log_level = "info";
  std::map<std::string, std::string> imports;        // URL -> file
  std::map<std::string, std::string> configuration;  // what GET /configuration tells: im_url, ...
};

struct Loaded {
  std::optional<Config> config;
  tosca::Diagnostics diagnostics;
};

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// `text` is the file's content, empty when there is none; `file` names it in diagnostics. The
// environment wins over the file. Relative paths stay as they are. `superuser` decides where data
// is kept by default.
[[nodiscard]] Loaded load(const std::string& file, const std::string& text,
                          const Environment& environment, bool superuser);

// For people: every key with its type, default, environment variable and meaning.
[[nodiscard]] std::string describe_keys();

}  // namespace tutti::config
