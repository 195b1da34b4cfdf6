#include "providers/support/log.hpp"

#include "providers/base/json_writer.hpp"
#include "providers/base/wall_time.hpp"
#include "providers/support/redactor.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <unistd.h>

namespace tutti {
namespace {

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};

std::atomic<LogForm> form{LogForm::plain};
std::atomic<LogLevel> lowest_level{LogLevel::info};
std::atomic<int> descriptor{-1};

std::string now_text() {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return format_rfc3339(now);
}

std::string json_line(LogLevel level, std::string_view message,
                      std::initializer_list<LogField> fields) {
  JsonWriter json;
  json.begin_object()
      .member("time", now_text())
      .member("level", kLevels[static_cast<std::size_t>(level)]);
  // Redacted before it is escaped: an escaped secret would no longer be recognised.
  json.member("message", redactor().redact(message));
  for (const auto& [name, value] : fields) json.member(name, redactor().redact(value));
  json.end_object();
  return json.take() + "\n";
}

// Control characters in a message must not forge a second record.
void append_one_line(std::string& out, std::string_view text) {
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
}

std::string plain_line(LogLevel level, std::string_view message,
                       std::initializer_list<LogField> fields) {
  std::string line = now_text() + " ";
  line += kLevels[static_cast<std::size_t>(level)];
  line += ' ';
  append_one_line(line, redactor().redact(message));
  for (const auto& [name, value] : fields) {
    line += ' ';
    line += name;
    line += '=';
    append_one_line(line, redactor().redact(value));
  }
  return line + "\n";
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody to tell
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void set_log_form(LogForm value) {
  form = value;
}
void set_log_level(LogLevel lowest) {
  lowest_level = lowest;
}
void set_log_descriptor(int value) {
  descriptor = value;
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (level < lowest_level.load()) return;
  const std::string line = form.load() == LogForm::json ? json_line(level, message, fields)
                                                        : plain_line(level, message, fields);
  static std::mutex mutex;  // lines stay whole, also in a pipe
  const std::lock_guard lock(mutex);
  const int fd = descriptor.load();
  write_all(fd >= 0 ? fd : STDERR_FILENO, line);
}

}  // namespace tutti
