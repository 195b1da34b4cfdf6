#include "providers/support/random.hpp"
#include "server/bootstrap/bootstrap.hpp"
#include "tests/unit/server/support.hpp"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <fstream>

namespace tutti::bootstrap {
namespace {

const WallTime kNow{std::chrono::milliseconds(1'700'000'000'000)};
const DeploymentId kDeployment("0190b0a0-0000-7000-8000-000000000001");

X509* read_certificate(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return certificate;
}

TEST(ClusterSecretsTest, TheCertificateIsAnAuthorityThatItsKeySigned) {
  const auto secrets = make_cluster_secrets(kNow, kDeployment);
  X509* certificate = read_certificate(secrets.ca_certificate);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(X509_check_ca(certificate), 1);
  EXPECT_EQ(X509_verify(certificate, X509_get0_pubkey(certificate)), 1);
  BIO* bio = BIO_new_mem_buf(secrets.ca_key.data(), static_cast<int>(secrets.ca_key.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(X509_check_private_key(certificate, key), 1);
  time_t later = 1'700'000'000 + 9L * 365 * 24 * 3600;
  EXPECT_GT(X509_cmp_time(X509_get0_notAfter(certificate), &later), 0);
  EVP_PKEY_free(key);
  BIO_free(bio);
  X509_free(certificate);
}

TEST(ClusterSecretsTest, SurviveTheirTextAndRefuseDamage) {
  const auto secrets = make_cluster_secrets(kNow, kDeployment);
  const auto again = decode_cluster_secrets(encode(secrets));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->seed, secrets.seed);
  EXPECT_EQ(again->ca_key, secrets.ca_key);
  for (const char* bad : {"", "{}", "[]", "{\"seed\":1}",
                          "{\"seed\":\"xy\",\"ca_key\":\"\","
                          "\"ca_certificate\":\"\"}"}) {
    EXPECT_FALSE(decode_cluster_secrets(bad)) << bad;
  }
}

TEST(ClusterSecretsTest, KeysDifferByPurposeAndAreTheSameEachTime) {
  const auto secrets = make_cluster_secrets(kNow, kDeployment);
  const SshKey key = derive_ssh_key(secrets, "login");
  EXPECT_EQ(key.private_key, derive_ssh_key(secrets, "login").private_key);
  EXPECT_NE(key.public_key, derive_ssh_key(secrets, "host/web-0").public_key);
  EXPECT_NE(key.public_key,
            derive_ssh_key(make_cluster_secrets(kNow, kDeployment), "login").public_key);
}

TEST(ClusterSecretsTest, OpenSshReadsTheKeys) {
  if (std::system("command -v ssh-keygen >/dev/null 2>&1") != 0) GTEST_SKIP() << "no ssh-keygen";
  const test::TemporaryFolder folder;
  const auto secrets = make_cluster_secrets(kNow, kDeployment);
  const SshKey key = derive_ssh_key(secrets, "login");
  std::ofstream(folder / "key") << key.private_key;
  std::filesystem::permissions(folder / "key", std::filesystem::perms::owner_read);
  const std::string command = "ssh-keygen -y -f " + (folder / "key");
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char line[512] = {};
  ASSERT_NE(std::fgets(line, sizeof line, pipe), nullptr);
  EXPECT_EQ(::pclose(pipe), 0);
  EXPECT_THAT(line, testing::StartsWith(key.public_key));
}

TEST(ClusterSecretsTest, TheRolesGetAllTheirNamesInTheirShapes) {
  const auto vars = role_secrets(make_cluster_secrets(kNow, kDeployment));
  for (const char* name :
       {"cluster_ca_certificate", "cluster_ca_key", "consul_gossip_key", "mesos_agent_secret",
        "mesos_framework_secret", "mesos_monitor_password", "keystore_password"}) {
    EXPECT_GE(vars.at(name).size(), 24U) << name;
  }
  EXPECT_EQ(vars.at("consul_gossip_key").size(), 44U);
  EXPECT_EQ(vars.at("keepalived_password").size(), 8U);
  EXPECT_EQ(
      vars.at("keepalived_password")
          .find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
      std::string::npos);
  const int router = std::stoi(vars.at("keepalived_router_id"));
  EXPECT_GE(router, 1);
  EXPECT_LE(router, 255);
}

}  // namespace
}  // namespace tutti::bootstrap
