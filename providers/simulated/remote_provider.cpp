#include "providers/simulated/simulated_provider.hpp"
#include "providers/simulated/wire.hpp"
#include "providers/support/http_client.hpp"

namespace tutti::simulated {
namespace net = boost::asio;
namespace {

class RemoteProvider final : public Provider {
 public:
  RemoteProvider(net::any_io_executor executor, std::string socket,
                 const ProviderCapabilities& capabilities)
      : socket_(std::move(socket)), capabilities_(capabilities), client_(std::move(executor)) {}

  const ProviderCapabilities& capabilities() const override { return capabilities_; }

  net::awaitable<Result<Catalogue>> catalogue() override {
    const auto answer = co_await call("catalogue", Json::object());
    if (!answer) co_return answer.error();
    co_return read<Catalogue>([&] {
      Catalogue catalogue;
      catalogue.cpus = answer->at("cpus").get<std::int64_t>();
      catalogue.free_memory_bytes = answer->at("free_memory_bytes").get<std::int64_t>();
      for (const Json& name : answer->at("images")) {
        catalogue.images.emplace_back();
        catalogue.images.back().name = name.get<std::string>();
      }
      return catalogue;
    });
  }

  net::awaitable<Result<NativeId>> create(const ResourceSpec& spec,
                                          const Ownership& ownership) override {
    Json message = Json::object();
    message["spec"] = encode(spec);
    message["ownership"] = encode(ownership);
    const auto answer = co_await call("create", std::move(message));
    if (!answer) co_return answer.error();
    co_return read<NativeId>([&] { return NativeId(answer->at("id").get<std::string>()); });
  }

  net::awaitable<Result<std::vector<Resource>>> find(const Ownership& ownership,
                                                     ResourceKind kind) override {
    Json message = Json::object();
    message["ownership"] = encode(ownership);
    message["kind"] = to_string(kind);
    const auto answer = co_await call("find", std::move(message));
    if (!answer) co_return answer.error();
    co_return read<std::vector<Resource>>([&] { return decode_resources(*answer); });
  }

  net::awaitable<Result<std::vector<Resource>>> list_owned(
      const OwnerId& owner, const DeploymentId& deployment) override {
    Json message = Json::object();
    message["owner"] = owner.value;
    message["deployment"] = deployment.value;
    const auto answer = co_await call("list", std::move(message));
    if (!answer) co_return answer.error();
    co_return read<std::vector<Resource>>([&] { return decode_resources(*answer); });
  }

  net::awaitable<Result<void>> set_power(const Resource& resource, Power power) override {
    Json message = Json::object();
    message["resource"] = encode(resource);
    message["on"] = power == Power::on;
    const auto answer = co_await call("power", std::move(message));
    if (!answer) co_return answer.error();
    co_return Result<void>();
  }

  net::awaitable<Result<void>> destroy(const Resource& resource) override {
    Json message = Json::object();
    message["resource"] = encode(resource);
    const auto answer = co_await call("destroy", std::move(message));
    if (!answer) co_return answer.error();
    co_return Result<void>();
  }

 private:
  static Error unreadable() {
    return Error(ErrorClass::unknown, "unreadable", "the simulated cloud's answer makes no sense");
  }

  template <class T, class Decode>
  static Result<T> read(const Decode& decode) {
    try {
      return decode();
    } catch (const std::exception&) {
      return unreadable();
    }
  }

  static Error refusal_of(const Json& answer) {
    try {
      return decode_error(answer);
    } catch (const std::exception&) {
      return unreadable();
    }
  }

  net::awaitable<Result<Json>> call(std::string operation, Json message) {
    HttpRequest request("POST", "http://simcloud/v1/" + operation);
    request.unix_socket = socket_;
    request.body = message.dump();
    const auto response = co_await client_.perform(std::move(request));
    if (!response) co_return response.error();
    Json answer = Json::parse(response->body, nullptr, false);
    if (answer.is_discarded()) co_return unreadable();
    if (response->status == 200) co_return answer;
    co_return refusal_of(answer);
  }

  std::string socket_;
  ProviderCapabilities capabilities_;
  HttpClient client_;
};

}  // namespace

std::unique_ptr<Provider> make_remote_provider(net::any_io_executor executor,
                                               const std::string& socket,
                                               const ProviderCapabilities& capabilities) {
  return std::make_unique<RemoteProvider>(std::move(executor), socket, capabilities);
}

}  // namespace tutti::simulated
