# Writes a C++ file with the texts of templates/types in it.
#   cmake -D ROOT=<templates/types> -D FILES=<a;b> -D OUTPUT=<file.cpp> -P embed.cmake
set(entries "")
foreach(file IN LISTS FILES)
  file(READ "${ROOT}/${file}" text)
  if(file MATCHES "^tosca/")
    set(normative "true")
  else()
    set(normative "false")
  endif()
  string(APPEND entries "    EmbeddedText{\"${file}\", R\"TUTTI_TYPES(${text})TUTTI_TYPES\", ${normative}},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Made from templates/types by embed.cmake.
#include <array>

#include \"tosca/profiles/embedded.hpp\"

namespace tutti::tosca::profiles {

std::span<const EmbeddedText> embedded_texts() {
  static constexpr std::array texts{
${entries}  };
  return texts;
}

}  // namespace tutti::tosca::profiles
")
