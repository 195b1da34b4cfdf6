#include "tosca/profiles/embedded.hpp"

namespace tutti::tosca::profiles {

const EmbeddedText* embedded(std::string_view name) {
  for (const EmbeddedText& text : embedded_texts()) {
    if (text.name == name) return &text;
  }
  return nullptr;
}

}  // namespace tutti::tosca::profiles
