// Secrets at rest and in memory: SecretString wipes itself, Sealer encrypts what the store keeps.
// Nothing here writes to a log or puts a secret in an Error.
#pragma once

#include "providers/base/result.hpp"

#include <array>
#include <string>
#include <string_view>

namespace tutti {

// Overwrites the bytes in a way that the optimiser keeps.
void wipe(std::string& text);

// Owns a secret's text; movable, not copyable, wiped when it goes. Never streamed: ask for
// reveal().
class SecretString {
 public:
  SecretString() = default;
  explicit SecretString(std::string text) : text_(std::move(text)) {}
  SecretString(const SecretString&) = delete;
  SecretString& operator=(const SecretString&) = delete;
  SecretString(SecretString&& other) noexcept;
  SecretString& operator=(SecretString&& other) noexcept;
  ~SecretString() { wipe(text_); }

  [[nodiscard]] const std::string& reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

// AES-256-GCM with a fresh random nonce for each seal. `context` (e.g. "deployment/<id>/secrets")
// is authenticated but not kept: a sealed row moved to another place does not open. Thread-safe.
class Sealer {
 public:
  static constexpr std::size_t kKeyBytes = 32;

  // Reads the key file, or makes it (0600, durable) when it is missing. Refused: another size, a
  // file that others may read, a link.
  [[nodiscard]] static Result<Sealer> open(const std::string& key_file);
  // For tests and for keys that come from elsewhere: exactly 32 bytes.
  [[nodiscard]] static Result<Sealer> from_key(SecretString key);

  [[nodiscard]] std::string seal(std::string_view plain, std::string_view context) const;
  // Fails (invalid, code "unseal") when the key, the context or a single bit is another.
  [[nodiscard]] Result<std::string> unseal(std::string_view sealed, std::string_view context) const;

 private:
  explicit Sealer(SecretString key) : key_(std::move(key)) {}
  SecretString key_;
};

}  // namespace tutti
