// Writes JSON text into one string, for answers that are rendered often; general JSON (reading,
// building) is nlohmann's. Commas and escapes are handled here; the caller keeps begin and end in
// balance. Bytes that are not UTF-8 become U+FFFD.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tutti {

class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view text);
  JsonWriter& integer(std::int64_t number);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // Text that is JSON already.
  JsonWriter& raw(std::string_view json);
  JsonWriter& member(std::string_view name, std::string_view text) {
    return key(name).string(text);
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void separate();

  std::string text_;
  bool need_comma_ = false;
};

}  // namespace tutti
