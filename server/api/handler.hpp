// The routes' work behind http::Handler. Internal to server/api; made by make_handler().
#pragma once

#include "server/api/api.hpp"
#include "server/api/prepare.hpp"
#include "server/api/refusal.hpp"
#include "server/api/routes.hpp"

#include <atomic>

namespace tutti::api {

// One routed request.
class Call {
 public:
  Call(http::Request& r, const http::Target& t, const Match& m) : request(r), target(t), match(m) {}
  [[nodiscard]] Action action() const { return match.route->action; }
  [[nodiscard]] std::string_view deployment() const { return match.wildcards.at(0); }
  [[nodiscard]] std::string_view resource() const { return match.wildcards.at(1); }

  http::Request& request;
  const http::Target& target;
  const Match& match;
};

class RestHandler final : public http::Handler {
 public:
  explicit RestHandler(Dependencies dependencies);

  http::Admission admit(const http::Request& request) override;
  boost::asio::awaitable<http::Response> handle(http::Request& request) override;
  http::Response error(unsigned status, std::string_view message) override;

 private:
  using Answer = boost::asio::awaitable<http::Response>;

  // handler.cpp: what only looks
  [[nodiscard]] http::Response show(const Call& call) const;
  [[nodiscard]] http::Response show_of(const Call& call, const view::Snapshot& snapshot) const;
  Answer show_revealed(const Call& call, const view::Snapshot& snapshot);
  Answer show_template(const Call& call);
  Answer show_log(const Call& call);
  // commands.cpp: what changes something
  Answer create(const Call& call);
  boost::asio::awaitable<Accepted<Prepared>> prepare_permitted(const Call& call);
  Answer create_prepared(const Call& call, engine::CreateCommand command);
  Answer remove(const Call& call);
  [[nodiscard]] http::Response update(const Call& call) const;
  [[nodiscard]] http::Response reset(const Call& call) const;
  [[nodiscard]] http::Response act(const Call& call) const;

  Commands commands_;
  const view::View& view_;
  view::ColdTexts& texts_;
  Offload& offload_;
  Clock& clock_;
  Settings settings_;
  const std::string info_;
  const std::string configuration_;
  std::atomic<std::size_t> preparations_{0};
};

// Shared between the two: common answers, and finding a resource.
[[nodiscard]] http::Response json_response(std::string body);
[[nodiscard]] http::Response no_deployment(std::string_view id);
[[nodiscard]] const view::RenderedResource* find_resource(const view::Snapshot& snapshot,
                                                          std::string_view id);
[[nodiscard]] std::string no_resource(const view::Snapshot& snapshot, std::string_view id);

}  // namespace tutti::api
