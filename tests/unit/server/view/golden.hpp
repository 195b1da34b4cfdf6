// Compares a JSON text with a golden file, byte for byte once indented. TUTTI_UPDATE_GOLDEN=1
// rewrites the files; their difference is then for a person to read.
#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace tutti {

inline void expect_golden(const std::string& name, const std::string& json) {
  const auto parsed = nlohmann::ordered_json::parse(json, nullptr, false);
  ASSERT_FALSE(parsed.is_discarded()) << json;
  const std::string text = parsed.dump(2) + "\n";
  const std::string path = TUTTI_SOURCE_DIR "/tests/golden/api/" + name + ".json";
  if (std::getenv("TUTTI_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << path;
}

}  // namespace tutti
