// The Docker provider on a real engine: every kind of object from create to destroy, what an
// interrupted or doubled create leaves, and that nothing foreign is touched. Needs root, an engine
// and the images of deploy/images; skipped without them, a failure where CI=true.
#include "providers/docker/docker_provider.hpp"
#include "providers/docker/engine_api.hpp"
#include "providers/docker/objects.hpp"
#include "providers/support/child_process.hpp"
#include "providers/support/random.hpp"
#include "providers/support/task_scope.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <set>
#include <thread>
#include <unistd.h>

namespace tutti {
namespace {

namespace net = boost::asio;
using docker::EngineAnswer;
using docker::Json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Resources = std::vector<Resource>;

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

class DockerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    if (geteuid() != 0) reason = "not root";
    if (reason.empty()) {
      const Result<Catalogue> catalogue = test::run(io_, provider_->catalogue());
      if (!catalogue) reason = catalogue.error().describe();
    }
    if (reason.empty()) return;
    const char* const ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << "no sandbox: " << reason;
    GTEST_SKIP() << "no sandbox: " << reason;
  }

  void TearDown() override {
    for (const std::string& path : foreign_) {
      EXPECT_TRUE(test::run(io_, api_.remove(path))) << path;
    }
    const steady_clock::time_point deadline = steady_clock::now() + std::chrono::seconds(60);
    for (Resources left = list(); !left.empty() && steady_clock::now() < deadline; left = list()) {
      // Instances go before the network that they are in.
      for (const Resource& resource : left) {
        if (resource.kind != ResourceKind::network)
          (void)test::run(io_, provider_->destroy(resource));
      }
      for (const Resource& resource : left) {
        if (resource.kind == ResourceKind::network)
          (void)test::run(io_, provider_->destroy(resource));
      }
    }
    EXPECT_THAT(list(), IsEmpty());
    for (const char* path : {"/containers/json?all=1&", "/networks?", "/volumes?"}) {
      EXPECT_EQ(count_labelled(path), 0U) << path;
    }
  }

  // What carries the deployment's label, whatever the provider says.
  std::size_t count_labelled(std::string path) {
    path +=
        docker::label_filter({std::string(docker::label::kDeployment) + "=" + deployment_.value});
    const Result<EngineAnswer> answer = test::run(io_, api_.get(path));
    if (!answer) return 0;
    const Json& body = answer->body;
    const Json list = body.is_object() ? body.at("Volumes") : body;
    return list.is_array() ? list.size() : 0;
  }

  Resources list() {
    Result<Resources> listed = test::run(io_, provider_->list_owned(owner_, deployment_));
    EXPECT_TRUE(listed) << listed.error().describe();
    return listed ? *listed : Resources();
  }

  Ownership own(const std::string& resource) const {
    Ownership ownership;
    ownership.owner = owner_;
    ownership.deployment = deployment_;
    ownership.token = make_create_token(owner_, deployment_, ResourceId(resource), 0);
    return ownership;
  }

  Result<NativeId> create(const ResourceSpec& spec, const Ownership& ownership) {
    return test::run(io_, provider_->create(spec, ownership));
  }
  Resources find(const Ownership& ownership, ResourceKind kind) {
    Result<Resources> found = test::run(io_, provider_->find(ownership, kind));
    EXPECT_TRUE(found) << found.error().describe();
    return found ? *found : Resources();
  }
  Result<void> destroy(const Resource& resource) {
    return test::run(io_, provider_->destroy(resource));
  }
  Result<void> power(const Resource& resource, Power power) {
    return test::run(io_, provider_->set_power(resource, power));
  }

  ResourceRef make_network(const std::string& name = "private") {
    ResourceRef ref;
    ref.resource = ResourceId("network/" + name);
    NetworkSpec spec;
    spec.name = name;
    const Result<NativeId> made = create(spec, own("network/" + name));
    EXPECT_TRUE(made) << made.error().describe();
    if (made) ref.native_id = *made;
    return ref;
  }

  InstanceSpec machine(const std::string& hostname, const ResourceRef& network,
                       std::uint32_t index = 0) const {
    InstanceSpec spec;
    spec.hostname = hostname;
    spec.network = network;
    spec.address_index = index;
    spec.num_cpus = 64;  // more than there are: lowered
    spec.mem_size_bytes = std::int64_t{512} << 20;
    return spec;
  }

  EngineAnswer raw_post(const std::string& path, Json body) {
    const Result<EngineAnswer> answer = test::run(io_, api_.post(path, std::move(body)));
    EXPECT_TRUE(answer) << answer.error().describe();
    return answer ? *answer : EngineAnswer(0, nullptr);
  }
  bool exists(const std::string& path) { return test::run(io_, api_.get(path)).has_value(); }

  // The first bytes that a machine's port 22 says; empty after the deadline.
  net::awaitable<std::string> ssh_banner(std::string address) {
    const steady_clock::time_point deadline = steady_clock::now() + std::chrono::seconds(90);
    const net::ip::tcp::endpoint port(net::ip::make_address(address), 22);
    while (steady_clock::now() < deadline) {
      net::ip::tcp::socket socket(io_);
      const auto [refused] = co_await socket.async_connect(port, net::as_tuple(net::use_awaitable));
      if (!refused) {
        std::string banner(4, '\0');
        const auto [error, count] = co_await net::async_read(socket, net::buffer(banner),
                                                             net::as_tuple(net::use_awaitable));
        if (!error && count == banner.size()) co_return banner;
      }
      co_await clock_.sleep_for(milliseconds(20));
    }
    co_return std::string();
  }

  // Standard output and error of a command, and its exit.
  net::awaitable<std::string> command(std::vector<std::string> argv) {
    ChildOptions options;
    options.argv = std::move(argv);
    options.environment = allowed_environment({"PATH", "HOME"});
    Result<ChildProcess> child = ChildProcess::start(io_.get_executor(), options);
    if (!child) co_return child.error().describe();
    std::string output;
    while (true) {
      const Result<std::string> piece = co_await child->read_output();
      if (!piece || piece->empty()) break;
      output += *piece;
    }
    const ExitStatus status = co_await child->wait();
    if (!status.ok()) output += "[" + status.describe() + "]";
    co_return output;
  }

  net::io_context io_;
  HttpClient http_{io_.get_executor()};
  SystemClock clock_;
  DockerOptions options_;
  std::unique_ptr<Provider> provider_ = make_docker_provider(options_, http_, clock_);
  docker::EngineApi api_{http_, options_.socket};
  OwnerId owner_{make_uuid_v4()};
  DeploymentId deployment_{make_uuid_v4()};
  std::vector<std::string> foreign_;  // paths of what a test planted, removed after it
};

TEST_F(DockerTest, TellsWhatItOffers) {
  const Result<Catalogue> catalogue = test::run(io_, provider_->catalogue());
  ASSERT_TRUE(catalogue);
  ASSERT_THAT(catalogue->images, SizeIs(1));
  EXPECT_EQ(catalogue->images[0].distribution, "debian");
  EXPECT_GT(catalogue->cpus, 0);
  EXPECT_GT(catalogue->free_memory_bytes, 0);
}

TEST_F(DockerTest, NetworkFromCreateToDestroy) {
  const Ownership ownership = own("network/private");
  EXPECT_THAT(find(ownership, ResourceKind::network), IsEmpty());
  const ResourceRef network = make_network();
  const Result<NativeId> again = create(NetworkSpec(), ownership);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().cls, ErrorClass::conflict);
  const Resources found = find(ownership, ResourceKind::network);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].native_id, network.native_id);
  EXPECT_EQ(found[0].state, ResourceState::active);
  EXPECT_THAT(found[0].attributes.at("cidr"), testing::MatchesRegex("10\\.213\\.[0-9]+\\.0/24"));
  EXPECT_THAT(found[0].attributes.at("gateway"), testing::MatchesRegex("10\\.213\\.[0-9]+\\.1"));
  EXPECT_GT(found[0].created_at, WallTime());
  EXPECT_THAT(list(), SizeIs(1));
  Resource stolen = found[0];
  stolen.ownership.owner = OwnerId(make_uuid_v4());
  const Result<void> refused = destroy(stolen);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cls, ErrorClass::invalid);
  EXPECT_TRUE(destroy(found[0]));
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_TRUE(destroy(found[0]));  // gone already
}

TEST_F(DockerTest, OneTokenOnceFromTwoDaemonsAtOnce) {
  const std::unique_ptr<Provider> other = make_docker_provider(options_, http_, clock_);
  const Ownership same = own("network/same");
  const ResourceSpec spec = NetworkSpec();
  const Ownership mine = own("network/mine");
  const Ownership theirs = own("network/theirs");
  const auto make = [&](Provider& provider, const Ownership& ownership) -> net::awaitable<void> {
    const Result<NativeId> made = co_await provider.create(spec, ownership);
    const bool good = made || made.error().cls == ErrorClass::conflict;
    EXPECT_TRUE(good) << made.error().describe();
  };
  const auto all = [&]() -> net::awaitable<void> {
    TaskScope scope(io_.get_executor(), [](std::string_view text) { ADD_FAILURE() << text; });
    scope.spawn(make(*provider_, same));
    scope.spawn(make(*other, same));
    scope.spawn(make(*provider_, mine));
    scope.spawn(make(*other, theirs));
    co_await scope.join();
  };
  test::run(io_, all());
  EXPECT_THAT(find(same, ResourceKind::network), SizeIs(1));
  std::set<std::string> ranges;
  for (const Resource& network : list()) ranges.insert(network.attributes.at("cidr"));
  EXPECT_THAT(ranges, SizeIs(3));
}

TEST_F(DockerTest, SurplusNetworksAreShownOldestFirst) {
  const ResourceRef network = make_network();
  const Ownership ownership = own("network/private");
  Json body = Json::object();
  body["Name"] = docker::object_name(ownership.token);
  body["Labels"] = docker::make_labels(ownership, docker::kind::kNetwork);
  const EngineAnswer second = raw_post("/networks/create", body);
  const Resources found = find(ownership, ResourceKind::network);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].native_id, network.native_id);
  EXPECT_TRUE(destroy(found[1]));
  EXPECT_THAT(find(ownership, ResourceKind::network), SizeIs(1));
}

TEST_F(DockerTest, VirtualAddresses) {
  VirtualAddressSpec spec;
  spec.network = make_network();
  ASSERT_TRUE(create(spec, own("address/one")));
  const Result<NativeId> again = create(spec, own("address/one"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().cls, ErrorClass::conflict);
  ASSERT_TRUE(create(spec, own("address/two")));
  const std::string one =
      find(own("address/one"), ResourceKind::virtual_address).at(0).attributes.at("ip_address");
  const std::string two =
      find(own("address/two"), ResourceKind::virtual_address).at(0).attributes.at("ip_address");
  EXPECT_THAT(one, testing::EndsWith(".250"));
  EXPECT_THAT(two, testing::EndsWith(".251"));

  spec.ip_address = two;
  const Result<NativeId> taken = create(spec, own("address/taken"));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, "address_in_use");
  spec.ip_address = "192.0.2.1";
  const Result<NativeId> outside = create(spec, own("address/outside"));
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().cls, ErrorClass::invalid);
  EXPECT_THAT(outside.error().message, HasSubstr(one));
  spec.ip_address = one.substr(0, one.rfind('.')) + ".254";
  ASSERT_TRUE(create(spec, own("address/last")));
  EXPECT_THAT(list(), SizeIs(4));

  const Resource first = find(own("address/one"), ResourceKind::virtual_address).at(0);
  EXPECT_TRUE(destroy(first));
  EXPECT_TRUE(destroy(first));
  EXPECT_THAT(list(), SizeIs(3));
}

TEST_F(DockerTest, InstanceFromCreateToDestroy) {
  const test::TempFolder folder;
  const std::string key = folder.file("key");
  const std::string host_key = folder.file("host_key");
  for (const std::string& file : {key, host_key}) {
    test::run(io_, command({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file}));
  }
  InstanceSpec spec = machine("master-0", make_network(), 3);
  spec.authorized_key = test::read_file(key + ".pub");
  spec.host_private_key = test::read_file(host_key);
  spec.image.distribution = "ubuntu";
  spec.image.version = "16.04";
  const Ownership ownership = own("instance/master-0");
  const steady_clock::time_point start = steady_clock::now();
  const Result<NativeId> made = create(spec, ownership);
  ASSERT_TRUE(made) << made.error().describe();
  const double accepted = seconds_since(start);
  Resource instance = find(ownership, ResourceKind::instance).at(0);
  const std::string address = instance.attributes.at("private_address");
  EXPECT_EQ(test::run(io_, ssh_banner(address)), "SSH-");
  std::cout << "one instance: created " << accepted << " s, SSH port " << seconds_since(start)
            << " s\n";
  EXPECT_EQ(instance.state, ResourceState::active);
  EXPECT_EQ(instance.native_id, *made);
  EXPECT_THAT(address, testing::EndsWith(".13"));
  EXPECT_EQ(instance.attributes.at("public_address"), address);
  EXPECT_EQ(instance.attributes.at("ssh_port"), "22");
  EXPECT_THAT(instance.attributes.at("image_warning"), HasSubstr("ubuntu 16.04"));
  EXPECT_EQ(instance.attributes.count(docker::kIncomplete), 0U);

  // Our host key, our user key, the hostname, and the images of the store in the inner engine.
  const std::string known = folder.file("known_hosts");
  std::ofstream(known) << address << " " << test::read_file(host_key + ".pub");
  const std::string said = test::run(
      io_, command({"ssh", "-i", key, "-o", "UserKnownHostsFile=" + known, "-o", "BatchMode=yes",
                    "-o", "StrictHostKeyChecking=yes", "tutti@" + address,
                    "hostname; until sudo docker images 2>/dev/null; do sleep 0.1; done"}));
  EXPECT_THAT(said, HasSubstr("master-0\n"));
  EXPECT_THAT(said, HasSubstr("tutti/zookeeper"));

  const Result<NativeId> again = create(spec, ownership);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().cls, ErrorClass::conflict);
  EXPECT_TRUE(power(instance, Power::off));
  EXPECT_EQ(find(ownership, ResourceKind::instance).at(0).state, ResourceState::stopped);
  EXPECT_TRUE(power(instance, Power::off));
  EXPECT_TRUE(power(instance, Power::on));
  instance = find(ownership, ResourceKind::instance).at(0);
  EXPECT_EQ(instance.state, ResourceState::active);
  EXPECT_EQ(instance.attributes.at("private_address"), address);
  EXPECT_EQ(test::run(io_, ssh_banner(address)), "SSH-");

  Resource stolen = instance;
  stolen.ownership.deployment = DeploymentId(make_uuid_v4());
  EXPECT_FALSE(destroy(stolen));
  EXPECT_FALSE(power(stolen, Power::off));
  EXPECT_EQ(find(ownership, ResourceKind::instance).at(0).state, ResourceState::active);
  EXPECT_TRUE(destroy(instance));
  EXPECT_THAT(find(ownership, ResourceKind::instance), IsEmpty());
  EXPECT_TRUE(destroy(instance));
  const Result<void> off = power(instance, Power::off);
  ASSERT_FALSE(off);
  EXPECT_EQ(off.error().cls, ErrorClass::not_found);
}

TEST_F(DockerTest, GoesOnFromAVolumeAlone) {
  const InstanceSpec spec = machine("half", make_network());
  const Ownership ownership = own("instance/half");
  Json volume = Json::object();
  volume["Name"] = docker::object_name(ownership.token);
  volume["Labels"] = docker::make_labels(ownership, docker::kind::kInstanceVolume);
  raw_post("/volumes/create", volume);
  const Resources half = find(ownership, ResourceKind::instance);
  ASSERT_THAT(half, SizeIs(1));
  EXPECT_EQ(half[0].state, ResourceState::building);
  EXPECT_EQ(half[0].attributes.at(docker::kIncomplete), "true");
  EXPECT_FALSE(power(half[0], Power::on));
  EXPECT_TRUE(destroy(half[0]));
  EXPECT_THAT(find(ownership, ResourceKind::instance), IsEmpty());

  raw_post("/volumes/create", volume);
  const Result<NativeId> made = create(spec, ownership);
  ASSERT_TRUE(made) << made.error().describe();
  const Resources whole = find(ownership, ResourceKind::instance);
  ASSERT_THAT(whole, SizeIs(1));
  EXPECT_EQ(whole[0].state, ResourceState::active);
}

TEST_F(DockerTest, GoesOnAfterACancellationAtAnyMoment) {
  const ResourceSpec spec = machine("cut", make_network());
  const Ownership ownership = own("instance/cut");
  const auto cut_after = [&](milliseconds time) -> net::awaitable<void> {
    TaskScope scope(io_.get_executor(), [](std::string_view) {});  // the cancellation itself
    const auto make = [&]() -> net::awaitable<void> {
      const Result<NativeId> made = co_await provider_->create(spec, ownership);
      (void)made;  // whatever became of it
    };
    scope.spawn(make());
    co_await clock_.sleep_for(time);
    scope.cancel_all();
    co_await scope.join();
  };
  for (const int time : {5, 40, 150, 300, 600, 900}) {
    test::run(io_, cut_after(milliseconds(time)));
    EXPECT_LE(find(ownership, ResourceKind::instance).size(), 1U);
  }
  const Result<NativeId> made = create(spec, ownership);
  const bool good = made || made.error().cls == ErrorClass::conflict;
  ASSERT_TRUE(good) << made.error().describe();
  const Resources whole = find(ownership, ResourceKind::instance);
  ASSERT_THAT(whole, SizeIs(1));
  EXPECT_EQ(whole[0].state, ResourceState::active);
  EXPECT_EQ(test::run(io_, ssh_banner(whole[0].attributes.at("private_address"))), "SSH-");
}

TEST_F(DockerTest, ForeignLookAlikesSurvive) {
  const InstanceSpec spec = machine("mine", make_network());
  const Ownership ownership = own("instance/mine");
  const std::string name = docker::object_name(ownership.token);
  Json container = Json::object();
  container["Image"] = options_.image;
  container["Entrypoint"] = {"/bin/true"};
  raw_post("/containers/create?name=" + name, container);
  foreign_.push_back("/containers/" + name + "?force=1&v=1");
  Json volume = Json::object();
  volume["Name"] = name;
  Ownership other = ownership;
  other.owner = OwnerId(make_uuid_v4());  // another installation's, of the same token
  volume["Labels"] = docker::make_labels(other, docker::kind::kInstanceVolume);
  volume["Labels"].erase(docker::label::kDeployment);
  raw_post("/volumes/create", volume);
  foreign_.push_back("/volumes/" + name);

  const Result<NativeId> made = create(spec, ownership);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "foreign_object");
  EXPECT_THAT(find(ownership, ResourceKind::instance), IsEmpty());
  Resource resource;
  resource.native_id = NativeId(name);
  resource.ownership = ownership;
  const Result<void> destroyed = destroy(resource);
  ASSERT_FALSE(destroyed);
  EXPECT_EQ(destroyed.error().cls, ErrorClass::invalid);
  EXPECT_FALSE(power(resource, Power::on));
  EXPECT_TRUE(exists("/containers/" + name + "/json"));
  EXPECT_TRUE(exists("/volumes/" + name));

  // A network of our name is not refused by the engine: ours stands beside it.
  const Ownership second = own("network/second");
  Json network = Json::object();
  network["Name"] = docker::object_name(second.token);
  const std::string id = docker::text_at(raw_post("/networks/create", network).body, "/Id");
  foreign_.push_back("/networks/" + id);
  const ResourceRef ours = make_network("second");
  EXPECT_NE(ours.native_id.value, id);
  const Resources found = find(second, ResourceKind::network);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_TRUE(destroy(found[0]));
  EXPECT_TRUE(exists("/networks/" + id));
}

TEST_F(DockerTest, SevenInstancesAtOnce) {
  const ResourceRef network = make_network();
  const steady_clock::time_point start = steady_clock::now();
  double last_created = 0;
  const auto bring_up = [&](std::uint32_t number) -> net::awaitable<void> {
    const std::string name = "node-" + std::to_string(number);
    const ResourceSpec spec = machine(name, network, number);
    const Ownership ownership = own("instance/" + name);
    const Result<NativeId> made = co_await provider_->create(spec, ownership);
    EXPECT_TRUE(made) << made.error().describe();
    last_created = std::max(last_created, seconds_since(start));
    const Result<Resources> found = co_await provider_->find(ownership, ResourceKind::instance);
    if (!made || !found || found->size() != 1) co_return;
    std::string address = found->front().attributes.at("private_address");
    const std::string banner = co_await ssh_banner(std::move(address));
    EXPECT_EQ(banner, "SSH-") << name;
  };
  const auto all = [&]() -> net::awaitable<void> {
    TaskScope scope(io_.get_executor(), [](std::string_view text) { ADD_FAILURE() << text; });
    for (std::uint32_t i = 0; i < 7; ++i) scope.spawn(bring_up(i));
    co_await scope.join();
  };
  test::run(io_, all());
  std::cout << "seven instances: created " << last_created << " s, SSH ports "
            << seconds_since(start) << " s\n";
  std::set<std::string> addresses;
  const Resources listed = list();
  for (const Resource& resource : listed) {
    EXPECT_EQ(resource.state, ResourceState::active);
    if (resource.kind != ResourceKind::instance) continue;
    addresses.insert(resource.attributes.at("private_address"));
  }
  EXPECT_THAT(addresses, SizeIs(7));
}

TEST_F(DockerTest, SaysWhatIsMissing) {
  DockerOptions options = options_;
  options.socket = "/nonexistent/docker.sock";
  const std::unique_ptr<Provider> nowhere = make_docker_provider(options, http_, clock_);
  const Result<Resources> listed = test::run(io_, nowhere->list_owned(owner_, deployment_));
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, "engine_unreachable");
  EXPECT_EQ(listed.error().cls, ErrorClass::transient);

  options = options_;
  options.image = "tutti/no-such-image:none";
  const std::unique_ptr<Provider> bare = make_docker_provider(options, http_, clock_);
  const Result<Catalogue> catalogue = test::run(io_, bare->catalogue());
  ASSERT_FALSE(catalogue);
  EXPECT_EQ(catalogue.error().code, "image_missing");
  EXPECT_THAT(catalogue.error().message, HasSubstr("deploy/images/build"));
  const ResourceRef network = make_network();
  const ResourceSpec spec = machine("none", network);
  const Ownership ownership = own("instance/none");
  const Result<NativeId> made = test::run(io_, bare->create(spec, ownership));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "image_missing");

  const Resource used = find(own("network/private"), ResourceKind::network).at(0);
  options = options_;
  options.pool = used.attributes.at("cidr");
  const std::unique_ptr<Provider> narrow = make_docker_provider(options, http_, clock_);
  const ResourceSpec second = NetworkSpec();
  const Ownership second_ownership = own("network/second");
  const Result<NativeId> none = test::run(io_, narrow->create(second, second_ownership));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().cls, ErrorClass::capacity);
  EXPECT_EQ(none.error().code, "pool_exhausted");
}

TEST_F(DockerTest, RefusesWhatCannotBe) {
  const ResourceRef network = make_network();
  const auto code_of = [&](const InstanceSpec& spec) {
    const Result<NativeId> made = create(spec, own("instance/bad"));
    return made ? std::string() : made.error().code;
  };
  EXPECT_EQ(code_of(machine("../../etc", network)), "hostname");
  EXPECT_EQ(code_of(machine("far", network, 240)), "addresses");
  InstanceSpec windows = machine("windows", network);
  windows.image.type = "Windows";
  EXPECT_EQ(code_of(windows), "image");
  InstanceSpec astray = machine("astray", network);
  astray.network.native_id = NativeId("bridge");  // the engine's own, not the deployment's
  EXPECT_EQ(code_of(astray), "foreign_object");
  InstanceSpec tiny = machine("tiny", network);
  tiny.mem_size_bytes = 1024;
  EXPECT_EQ(code_of(tiny), "400");
  EXPECT_THAT(list(), SizeIs(1));  // what a refused create had made is gone: the network alone
}

}  // namespace
}  // namespace tutti
