// The Docker provider's parts that need no engine: address ranges, the seed's archive, labels and
// lists, times, errors, the container's description, and requests that are not given up.
#include "providers/docker/address_pool.hpp"
#include "providers/docker/docker_provider.hpp"
#include "providers/docker/engine_api.hpp"
#include "providers/docker/machine_body.hpp"
#include "providers/docker/objects.hpp"
#include "providers/docker/seed_archive.hpp"
#include "providers/support/child_process.hpp"
#include "providers/support/task_scope.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tutti::docker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(AddressPool, ReadsRanges) {
  const auto range = parse_range("10.213.7.9/16");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->text(), "10.213.0.0/16");
  EXPECT_EQ(format_ipv4(range->last()), "10.213.255.255");
  EXPECT_EQ(parse_range("0.0.0.0/0")->last(), 0xffffffffU);
  for (const char* bad : {"", "10.0.0.0", "10.0.0/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                          "::1/64", "10.0.0.0/"}) {
    EXPECT_FALSE(parse_range(bad)) << bad;
  }
}

TEST(AddressPool, ReadsTheKernelsRoutes) {
  const std::vector<Ipv4Range> routes = parse_routes(
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "br-1\t00FBD60A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
      "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
      "nonsense\n\n"
      "tun0\t0000000A\tzz\n");
  ASSERT_THAT(routes, SizeIs(2));
  EXPECT_EQ(routes[0].text(), "10.214.251.0/24");
  EXPECT_EQ(routes[1].text(), "172.17.0.0/16");
}

TEST(AddressPool, LeavesOutWhatIsUsed) {
  const Ipv4Range pool = *parse_range("10.213.0.0/22");
  EXPECT_THAT(free_subnets(pool, {}, "a"), SizeIs(4));
  const std::vector<Ipv4Range> used{*parse_range("10.213.0.0/23"), *parse_range("10.213.3.128/25"),
                                    *parse_range("192.0.2.0/24")};
  const std::vector<Ipv4Range> free = free_subnets(pool, used, "a");
  ASSERT_THAT(free, SizeIs(1));
  EXPECT_EQ(free[0].text(), "10.213.2.0/24");
  EXPECT_THAT(free_subnets(pool, {*parse_range("10.0.0.0/8")}, "a"), IsEmpty());
  EXPECT_THAT(free_subnets(*parse_range("10.213.0.0/25"), {}, "a"), IsEmpty());
  EXPECT_THAT(free_subnets(*parse_range("0.0.0.0/0"), {}, "a").size(), testing::Le(4096U));
}

TEST(AddressPool, DifferentTokensBeginAtDifferentPlaces) {
  const Ipv4Range pool = *parse_range("10.213.0.0/16");
  EXPECT_EQ(free_subnets(pool, {}, "t-a"), free_subnets(pool, {}, "t-a"));
  EXPECT_NE(free_subnets(pool, {}, "t-a").front(), free_subnets(pool, {}, "t-b").front());
}

TEST(SeedArchive, IsReadByTar) {
  SeedArchive seed;
  EXPECT_TRUE(seed.empty());
  seed.add("authorized_keys", "ssh-ed25519 AAAA somebody\n");
  seed.add("ssh_host_ed25519_key", std::string(513, 'k'));
  seed.add("none", "");
  const test::TempFolder folder;
  const std::string tar = folder.file("seed.tar");
  std::ofstream(tar, std::ios::binary) << std::move(seed).finish();
  EXPECT_EQ(std::filesystem::file_size(tar) % 512, 0U);

  boost::asio::io_context io;
  const auto run = [&](std::vector<std::string> argv) {
    ChildOptions options;
    options.argv = std::move(argv);
    options.environment = allowed_environment({"PATH"});
    const auto body = [&]() -> boost::asio::awaitable<std::string> {
      Result<ChildProcess> child = ChildProcess::start(io.get_executor(), options);
      if (!child) co_return child.error().describe();
      std::string output;
      while (true) {
        const Result<std::string> piece = co_await child->read_output();
        if (!piece || piece->empty()) break;
        output += *piece;
      }
      const ExitStatus status = co_await child->wait();
      co_return status.ok() ? output : status.describe() + ": " + output;
    };
    return test::run(io, body());
  };
  EXPECT_EQ(run({"tar", "-tf", tar}), "authorized_keys\nssh_host_ed25519_key\nnone\n");
  EXPECT_EQ(run({"tar", "-xOf", tar, "ssh_host_ed25519_key"}), std::string(513, 'k'));
  EXPECT_THAT(run({"tar", "--numeric-owner", "-tvf", tar}), HasSubstr("-rw------- 0/0"));
}

TEST(EngineApi, EncodesWhatGoesIntoAnAddress) {
  EXPECT_EQ(percent_encode("a/b c\n{\xff"), "a%2Fb%20c%0A%7B%FF");
  EXPECT_EQ(image_path("tutti/instance:bookworm"), "/images/tutti/instance%3Abookworm/json");
  EXPECT_EQ(label_filter({"a=b"}), "filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D");
}

TEST(EngineApi, ReadsAnswersWithoutTrust) {
  const Json answer = Json::parse(R"({"a": {"b": 1, "c": "text"}, "d": null, "e": []})");
  EXPECT_EQ(text_at(answer, "/a/c"), "text");
  EXPECT_EQ(text_at(answer, "/a/b"), "");
  EXPECT_EQ(text_at(answer, "/e/0/x"), "");
  EXPECT_EQ(text_at(answer, "/d/x"), "");
  EXPECT_EQ(number_at(answer, "/a/b", -1), 1);
  EXPECT_EQ(number_at(answer, "/a/c", -1), -1);
  EXPECT_THAT(labels_at(Json(nullptr)), IsEmpty());
  EXPECT_THAT(labels_at(Json::parse(R"({"Labels": 3})")), IsEmpty());
}

TEST(EngineApi, MapsErrors) {
  const auto is = [](int status, const std::string& message, ErrorClass cls,
                     const std::string& code) {
    const Error error = engine_error(status, message);
    EXPECT_EQ(error.cls, cls) << status << " " << message;
    EXPECT_EQ(error.code, code);
    EXPECT_THAT(error.message, HasSubstr(message));
  };
  is(400, "bad", ErrorClass::invalid, "400");
  is(404, "No such container: x", ErrorClass::not_found, "404");
  is(404, "No such image: x", ErrorClass::invalid, "image_missing");
  is(409, "name is in use", ErrorClass::conflict, "409");
  is(409, "remove x: volume is in use - [y]", ErrorClass::transient, "volume_in_use");
  is(500, "oops", ErrorClass::transient, "500");
  is(403, "Pool overlaps with other one on this address space", ErrorClass::capacity,
     "subnet_in_use");
  is(403, "error while removing network: network x has active endpoints", ErrorClass::transient,
     "network_in_use");
  is(403, "Address already in use", ErrorClass::capacity, "address_in_use");
  is(500, "write /x: no space left on device", ErrorClass::capacity, "disk_full");
  is(302, "moved", ErrorClass::unknown, "302");
}

TEST(Objects, ReadsTheEnginesTimes) {
  const auto read = [](const char* text) {
    const auto time = parse_engine_time(text);
    return time ? format_rfc3339(*time) : std::string("none");
  };
  EXPECT_EQ(read("2026-11-23T21:06:32.138541672Z"), "2026-11-23T21:06:32.138Z");
  EXPECT_EQ(read("2026-11-23T21:06:32.1Z"), "2026-11-23T21:06:32.100Z");
  EXPECT_EQ(read("2026-11-23T21:06:32Z"), "2026-11-23T21:06:32.000Z");
  EXPECT_EQ(read("2026-01-01T00:30:00+02:00"), "2025-12-31T22:30:00.000Z");
  EXPECT_EQ(read("2026-01-01T00:30:00-03:30"), "2026-01-01T04:00:00.000Z");
  for (const char* bad : {"", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00",
                          "2026-01-01T00:00:0xZ", "2026-01-01T00:00:00+2"}) {
    EXPECT_EQ(read(bad), "none") << bad;
  }
}

Ownership ownership(const std::string& token) {
  Ownership made;
  made.owner = OwnerId("owner");
  made.deployment = DeploymentId("deployment");
  made.token = CreateToken{token};
  return made;
}

Json object(const std::string& token, const char* kind, Json rest) {
  rest["Labels"] = make_labels(ownership(token), kind);
  return rest;
}

TEST(Objects, AnInstanceIsWhatIsThereOfItsParts) {
  Json running = object("t-run", kind::kInstance, {{"State", "running"}, {"Created", 1700000000}});
  running["Labels"][label::kAddress] = "10.213.0.10";
  const Json containers = Json::array({
      running,
      object("t-new", kind::kInstance, {{"State", "created"}, {"Created", 1700000001}}),
      object("t-off", kind::kInstance, {{"State", "exited"}, {"Created", 1700000002}}),
      object("t-dead", kind::kInstance, {{"State", "dead"}}),
      object("t-boot", kind::kInstance, {{"State", "restarting"}}),
      object("t-run", kind::kHelper, {{"State", "exited"}}),
      object("t-help", kind::kHelper, {{"State", "running"}}),
      Json::parse(R"({"Labels": null, "State": "running"})"),
  });
  const Json volumes = Json::array({
      object("t-run", kind::kInstanceVolume, {{"CreatedAt", "2020-01-01T00:00:00Z"}}),
      object("t-vol", kind::kInstanceVolume, {{"CreatedAt", "2026-01-01T00:00:00Z"}}),
      object("t-vip", kind::kVirtualAddress, {{"Name", "tutti-t-vip"}}),
  });
  std::map<std::string, std::string> found;
  for (const Resource& resource : instances_in(containers, volumes)) {
    found[resource.ownership.token.value] = std::string(to_string(resource.state)) +
                                            (resource.attributes.contains(kIncomplete) ? "!" : "");
    EXPECT_EQ(resource.native_id.value, "tutti-" + resource.ownership.token.value);
  }
  const std::map<std::string, std::string> expected{
      {"t-run", "active"},  {"t-new", "building!"},  {"t-off", "stopped"},   {"t-dead", "deleting"},
      {"t-boot", "active"}, {"t-help", "building!"}, {"t-vol", "building!"},
  };
  EXPECT_EQ(found, expected);
  EXPECT_THAT(virtual_addresses_in(volumes), SizeIs(1));
  EXPECT_THAT(instances_in(nullptr, nullptr), IsEmpty());
  EXPECT_THAT(networks_in(Json::parse(R"([1, {"Labels": []}])")), IsEmpty());
}

TEST(Objects, OwnershipIsAllThreeLabels) {
  const Json labels = make_labels(ownership("t-a"), kind::kNetwork);
  EXPECT_TRUE(carries(labels, ownership("t-a")));
  EXPECT_FALSE(carries(labels, ownership("t-b")));
  EXPECT_FALSE(carries(Json::object(), Ownership()));
  Ownership other = ownership("t-a");
  other.owner = OwnerId("other");
  EXPECT_FALSE(carries(labels, other));
  EXPECT_THAT(label_terms(OwnerId("o"), DeploymentId(), CreateToken()),
              ElementsAre("tutti.owner=o"));
}

TEST(MachineBody, HasLimitsAndPrivileges) {
  InstanceSpec spec;
  spec.hostname = "master-0";
  spec.num_cpus = 8;
  spec.mem_size_bytes = 1 << 30;
  spec.network.native_id = NativeId("net");
  Host host;
  host.cpus = 2;
  const Json body = machine_body(spec, ownership("t-a"), "10.213.0.10", "image", host);
  EXPECT_EQ(body.at("/HostConfig/NanoCpus"_json_pointer), 2000000000);
  EXPECT_EQ(body.at("/HostConfig/Memory"_json_pointer), 1 << 30);
  EXPECT_EQ(body.at("/NetworkingConfig/EndpointsConfig/net/IPAMConfig/IPv4Address"_json_pointer),
            "10.213.0.10");
  EXPECT_THAT(body.at("/HostConfig/CapAdd"_json_pointer), SizeIs(37));
  EXPECT_FALSE(body.at("HostConfig").contains("Privileged"));
  host.privileged = true;
  const Json privileged = machine_body(spec, ownership("t-a"), "10.213.0.10", "image", host);
  EXPECT_EQ(privileged.at("/HostConfig/Privileged"_json_pointer), true);
  EXPECT_FALSE(privileged.at("HostConfig").contains("CapAdd"));
}

TEST(MachineBody, WarnsOfAnotherImage) {
  ImageQuery query;
  EXPECT_EQ(image_warning(query, "i"), "");
  query.type = "linux";
  query.distribution = "Debian";
  query.version = "12.5";
  query.architecture = "X86_64";
  EXPECT_EQ(image_warning(query, "i"), "");
  query.version = "11";
  EXPECT_THAT(image_warning(query, "i"), HasSubstr("Debian 11 X86_64 was asked for"));
  query.image = "i";
  query.version = "";
  EXPECT_EQ(image_warning(query, "i"), "");
  query.image = "ubuntu-16.04";
  EXPECT_THAT(image_warning(query, "i"), HasSubstr("ubuntu-16.04 was asked for"));
}

// An engine goes on without its client: who gave up would not know what it made.
TEST(EngineApi, WhatMakesSomethingIsAwaitedAlsoWhenCancelled) {
  namespace net = boost::asio;
  using Unix = net::local::stream_protocol;
  net::io_context io;
  const test::TempFolder folder;
  Unix::acceptor acceptor(io, Unix::endpoint(folder.file("engine.sock")));
  HttpClient http(io.get_executor());
  EngineApi api(http, folder.file("engine.sock"));
  TaskScope scope(io.get_executor(), [](std::string_view text) { ADD_FAILURE() << text; });
  std::string id;
  const auto make = [&]() -> net::awaitable<void> {
    const auto made = co_await api.make("/networks/create", Json::object());
    if (made) id = text_at(made->body, "/Id");
  };
  const auto body = [&]() -> net::awaitable<void> {
    scope.spawn(make());
    Unix::socket engine = co_await acceptor.async_accept(net::use_awaitable);
    std::string request;
    co_await net::async_read_until(engine, net::dynamic_buffer(request), "\r\n\r\n",
                                   net::use_awaitable);
    scope.cancel_all();
    const std::string answer = "HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n{\"Id\":\"n\"}";
    co_await net::async_write(engine, net::buffer(answer), net::use_awaitable);
    co_await scope.join();
  };
  test::run(io, body());
  EXPECT_EQ(id, "n");
}

}  // namespace
}  // namespace tutti::docker
