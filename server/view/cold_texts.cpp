#include "server/view/cold_texts.hpp"

namespace tutti::view {
namespace {

constexpr std::size_t kLogBytes = 4 * 1024 * 1024;
constexpr const char* kTemplate = "template";
constexpr std::string_view kSecretPrefix = "secret:";

}  // namespace

boost::asio::awaitable<Result<std::optional<std::string>>> ColdTexts::template_text(
    DeploymentId deployment) {
  TUTTI_CO_TRY(const auto sealed, co_await store_.read_document(deployment, kTemplate));
  if (!sealed) co_return std::optional<std::string>();
  TUTTI_CO_TRY(auto text, unseal_(deployment, kTemplate, *sealed));
  co_return std::optional<std::string>(std::move(text));
}

boost::asio::awaitable<Result<std::string>> ColdTexts::log(DeploymentId deployment) {
  TUTTI_CO_TRY(const auto rows, co_await store_.read_log(deployment, kLogBytes));
  std::string text;
  for (const auto& row : rows) {
    text.append(format_rfc3339(row.at)).append(" ");
    if (!row.step.empty()) text.append("[").append(row.step).append("] ");
    text.append(row.text);
    if (!text.ends_with('\n')) text += '\n';
  }
  co_return text;
}

boost::asio::awaitable<Result<std::map<tosca::SecretRef, std::string>>> ColdTexts::secrets(
    DeploymentId deployment) {
  TUTTI_CO_TRY(const auto rows, co_await store_.read_documents(deployment));
  std::map<tosca::SecretRef, std::string> texts;
  for (const auto& row : rows) {
    if (!row.name.starts_with(kSecretPrefix)) continue;
    TUTTI_CO_TRY(auto text, unseal_(deployment, row.name, row.bytes));
    texts.emplace(tosca::SecretRef{row.name.substr(kSecretPrefix.size())}, std::move(text));
  }
  co_return texts;
}

}  // namespace tutti::view
