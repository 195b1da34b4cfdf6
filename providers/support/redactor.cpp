#include "providers/support/redactor.hpp"

#include "providers/support/secrets.hpp"

#include <algorithm>
#include <set>

namespace tutti {
namespace {

// The secret itself and, of a text with lines, each line that is long enough.
std::set<std::string_view> forms_of(std::string_view secret) {
  std::set<std::string_view> forms;
  if (secret.size() < Redactor::kMinimumLength) return forms;
  forms.insert(secret);
  for (std::size_t at = 0; at < secret.size();) {
    const std::size_t end = std::min(secret.find('\n', at), secret.size());
    const std::string_view line = secret.substr(at, end - at);
    const bool frame = line.substr(0, 5) == "-----";  // BEGIN and END are no secret
    if (line.size() >= Redactor::kMinimumLength && !frame) forms.insert(line);
    at = end + 1;
  }
  return forms;
}

}  // namespace

Redactor::~Redactor() {
  while (!secrets_.empty()) {
    auto node = secrets_.extract(secrets_.begin());
    wipe(node.key());
  }
}

void Redactor::add(std::string_view secret) {
  const std::unique_lock lock(mutex_);
  for (const std::string_view form : forms_of(secret)) ++secrets_[std::string(form)];
}

void Redactor::remove(std::string_view secret) {
  const std::unique_lock lock(mutex_);
  for (const std::string_view form : forms_of(secret)) {
    const auto found = secrets_.find(form);
    if (found == secrets_.end() || --found->second > 0) continue;
    auto node = secrets_.extract(found);
    wipe(node.key());
  }
}

std::string Redactor::redact(std::string_view text) const {
  const std::shared_lock lock(mutex_);
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    // The map is ordered: every secret that is a prefix of `rest` sorts at or before it, and among
    // those with the same first character the longest prefix is the last.
    std::size_t length = 0;
    for (auto it = secrets_.lower_bound(rest.substr(0, 1));
         it != secrets_.end() && it->first[0] == rest[0]; ++it) {
      if (it->first.size() > length && rest.substr(0, it->first.size()) == it->first) {
        length = it->first.size();
      }
    }
    if (length == 0) {
      out += text[at++];
    } else {
      out += "[secret]";
      at += length;
    }
  }
  return out;
}

Redactor& redactor() {
  static Redactor instance;
  return instance;
}

}  // namespace tutti
