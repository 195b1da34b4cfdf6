#include "tosca/source/parse.hpp"

#include "tosca/source/tree_builder.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <streambuf>

namespace tutti::tosca {

namespace {

// Reads a string_view in place; std::istringstream would copy it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // NOLINT: streambuf's get area is only read
    setg(begin, begin, begin + text.size());
  }
};

Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {1, 1};
  return {static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
}

// Translates yaml-cpp's events; what they mean is the builder's.
class Events : public YAML::EventHandler {
 public:
  explicit Events(TreeBuilder& builder) : builder_(builder) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    builder_.scalar(position_of(mark), "", true, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    builder_.alias(position_of(mark), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // yaml-cpp's own tags: ? for plain scalars, ! for quoted ones.
    const bool plain = tag != "!" && tag != "tag:yaml.org,2002:str";
    builder_.scalar(position_of(mark), value, plain, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    builder_.open(position_of(mark), Node::Kind::sequence, anchor);
  }
  void OnSequenceEnd() override { builder_.close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    builder_.open(position_of(mark), Node::Kind::mapping, anchor);
  }
  void OnMapEnd() override { builder_.close(); }

 private:
  TreeBuilder& builder_;
};

// Length of the UTF-8 sequence at `at` (RFC 3629), or 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(at);
  std::size_t length = 1;
  std::uint32_t code = lead;
  if (lead >= 0xF0 && lead < 0xF5) {
    length = 4;
    code = lead & 0x07U;
  } else if (lead >= 0xE0) {
    length = 3;
    code = lead & 0x0FU;
  } else if (lead >= 0xC2) {
    length = 2;
    code = lead & 0x1FU;
  } else if (lead >= 0x80) {
    return 0;
  }
  if (lead >= 0xF5 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
    code = (code << 6U) | (byte(at + i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? 0 : length;
}

// YAML 1.2, 5.1: printable characters alone, in UTF-8.
bool check_encoding(const std::string& name, std::string_view text, Diagnostics& diagnostics) {
  Position at{1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool control = (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F;
    const std::size_t length = control ? 0 : sequence_length(text, i);
    if (length == 0) {
      diagnostics.push_back(
          {Severity::error,
           "yaml.encoding",
           {name, at.line, at.column, at.line, at.column + 1},
           control ? "a control character is not allowed here" : "the text is not valid UTF-8",
           control ? "write it as an escape in a double-quoted string"
                   : "save the document as UTF-8"});
      return false;
    }
    if (c == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      at.column += static_cast<std::uint32_t>(length);
    }
    i += length;
  }
  return true;
}

void read_documents(std::string_view text, TreeBuilder& builder) {
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  Events events(builder);
  YAML::Parser parser(stream);
  while (parser.HandleNextDocument(events)) builder.document_end();
}

std::string limit_text(const ParseLimits& limits) {
  return "the document has more than " + std::to_string(limits.bytes) + " bytes";
}

}  // namespace

Document parse(std::string name, std::string_view text, const ParseOptions& options,
               Diagnostics& diagnostics) {
  Document document(std::move(name));
  const auto report = [&](std::string rule, Position at, std::string message, std::string hint) {
    diagnostics.push_back({Severity::error,
                           std::move(rule),
                           {document.name(), at.line, at.column, at.line, at.column},
                           std::move(message),
                           std::move(hint)});
  };
  if (text.size() > options.limits.bytes) {
    report("yaml.size", {1, 1}, limit_text(options.limits), "split it into imports");
    return document;
  }
  if (!check_encoding(document.name(), text, diagnostics)) return document;
  TreeBuilder builder(document, options, diagnostics);
  try {
    read_documents(text, builder);
    document.set_root(builder.root());
  } catch (const TreeLimit& limit) {
    report(limit.rule, limit.at, limit.message, limit.hint);
  } catch (const YAML::Exception& problem) {
    report("yaml.syntax", position_of(problem.mark), problem.msg,
           "the text is not valid YAML from here on");
  }
  return document;
}

}  // namespace tutti::tosca
