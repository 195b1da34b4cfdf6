// A cluster's trust, from one seed: the CA is made once, everything else is derived (HKDF-SHA256,
// RFC 5869), so that it need not be kept and is the same after every restart.
#include "providers/support/random.hpp"
#include "server/bootstrap/bootstrap.hpp"

#include <nlohmann/json.hpp>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace tutti::bootstrap {
namespace {

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Kdf = std::unique_ptr<EVP_KDF, Freed<EVP_KDF, EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Freed<EVP_KDF_CTX, EVP_KDF_CTX_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION, X509_EXTENSION_free>>;
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

constexpr std::size_t kSeedBytes = 32;
constexpr std::chrono::seconds kTenYears{std::int64_t{10} * 365 * 24 * 3600};
// Instances whose clocks are a little behind must trust it from the start.
constexpr std::chrono::seconds kClockSkew{3600};

const unsigned char* bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string hkdf(const std::string& seed, const std::string& info, std::size_t size) {
  const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
  std::string digest = "SHA256", key = seed, purpose = info, out(size, '\0');
  const std::array<OSSL_PARAM, 4> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, purpose.data(), purpose.size()),
      OSSL_PARAM_construct_end()};
  TUTTI_ASSERT(EVP_KDF_derive(context.get(), bytes(out), size, parameters.data()) == 1);
  return out;
}

std::string base64(const std::string& raw) {
  std::string text(4 * ((raw.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(bytes(text), bytes(raw), static_cast<int>(raw.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  TUTTI_ASSERT(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void set_time(ASN1_TIME* time, WallTime at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  TUTTI_ASSERT(ASN1_TIME_set(time, static_cast<time_t>(seconds)) != nullptr);
}

Certificate make_ca(EVP_PKEY* key, WallTime now, const DeploymentId& deployment) {
  Certificate certificate(X509_new());
  X509* x = certificate.get();
  TUTTI_ASSERT(x != nullptr && X509_set_version(x, X509_VERSION_3) == 1);
  std::string serial = random_bytes(16);
  serial[0] = static_cast<char>(serial[0] & 0x7F);
  std::unique_ptr<BIGNUM, Freed<BIGNUM, BN_free>> number(
      BN_bin2bn(bytes(serial), static_cast<int>(serial.size()), nullptr));
  TUTTI_ASSERT(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x)) != nullptr);
  set_time(X509_getm_notBefore(x), now - kClockSkew);
  set_time(X509_getm_notAfter(x), now + kTenYears);
  X509_NAME* name = X509_get_subject_name(x);
  const std::string common = "Tutti cluster " + deployment.value.substr(0, 36);
  TUTTI_ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes(common), -1, -1, 0) ==
               1);
  TUTTI_ASSERT(X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1);
  add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(x, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(x, NID_subject_key_identifier, "hash");
  TUTTI_ASSERT(X509_sign(x, key, EVP_sha256()) > 0);
  return certificate;
}

// SSH's wire form (RFC 4251, 5): a length in four bytes, then the text.
std::string wire(const std::string& text) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>((text.size() >> static_cast<unsigned>(shift)) & 0xFFU);
  }
  return out + text;
}

std::string wrapped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 70) out += text.substr(i, 70) + "\n";
  return out;
}

// OpenSSH's PROTOCOL.key, without a passphrase.
std::string openssh_private(const std::string& public_key, const std::string& private_key) {
  const std::string blob = wire("ssh-ed25519") + wire(public_key);
  const std::string check = public_key.substr(0, 4);
  std::string inner = check + check + blob + wire(private_key + public_key) + wire("");
  for (char pad = 1; inner.size() % 8 != 0; ++pad) inner += pad;
  const std::string magic("openssh-key-v1\0", 15);
  const std::string one("\0\0\0\1", 4);
  const std::string file =
      magic + wire("none") + wire("none") + wire("") + one + wire(blob) + wire(inner);
  return "-----BEGIN OPENSSH PRIVATE KEY-----\n" + wrapped(base64(file)) +
         "-----END OPENSSH PRIVATE KEY-----\n";
}

std::string password(const ClusterSecrets& secrets, const std::string& name, std::size_t length) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  // Bytes from 248 up would make the first letters likelier.
  for (const char c : hkdf(secrets.seed, "tutti role " + name, length * 8)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 248 && text.size() < length) text += kLetters[byte % kLetters.size()];
  }
  TUTTI_ASSERT(text.size() == length);
  return text;
}

std::string from_hex(const std::string& hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return out;
}

}  // namespace

ClusterSecrets make_cluster_secrets(WallTime now, const DeploymentId& deployment) {
  const Key key(EVP_EC_gen("P-256"));
  TUTTI_ASSERT(key != nullptr);
  const Certificate ca = make_ca(key.get(), now, deployment);
  const Bio key_text(BIO_new(BIO_s_mem())), ca_text(BIO_new(BIO_s_mem()));
  TUTTI_ASSERT(PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1);
  TUTTI_ASSERT(PEM_write_bio_X509(ca_text.get(), ca.get()) == 1);
  return {random_bytes(kSeedBytes), text_of(ca_text), text_of(key_text)};
}

std::string encode(const ClusterSecrets& secrets) {
  const nlohmann::json json = {{"version", 1},
                               {"seed", to_hex(secrets.seed)},
                               {"ca_certificate", secrets.ca_certificate},
                               {"ca_key", secrets.ca_key}};
  return json.dump();
}

Result<ClusterSecrets> decode_cluster_secrets(std::string_view text) {
  const Error damaged(ErrorClass::invalid, "cluster_secrets",
                      "the cluster's kept secrets cannot be read");
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return damaged;
  for (const char* name : {"seed", "ca_certificate", "ca_key"}) {
    if (!json.contains(name) || !json[name].is_string()) return damaged;
  }
  const auto hex = json["seed"].get<std::string>();
  if (hex.size() != 2 * kSeedBytes) return damaged;
  if (hex.find_first_not_of("0123456789abcdef") != std::string::npos) return damaged;
  return ClusterSecrets{from_hex(hex), json["ca_certificate"].get<std::string>(),
                        json["ca_key"].get<std::string>()};
}

SshKey derive_ssh_key(const ClusterSecrets& secrets, const std::string& purpose) {
  const std::string raw = hkdf(secrets.seed, "tutti ssh " + purpose, 32);
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes(raw), raw.size()));
  std::string open(32, '\0');
  std::size_t size = open.size();
  TUTTI_ASSERT(key && EVP_PKEY_get_raw_public_key(key.get(), bytes(open), &size) == 1);
  const std::string line = "ssh-ed25519 " + base64(wire("ssh-ed25519") + wire(open));
  return {openssh_private(open, raw), line};
}

std::map<std::string, std::string> role_secrets(const ClusterSecrets& secrets) {
  const std::string router = hkdf(secrets.seed, "tutti role keepalived_router_id", 4);
  const unsigned number =
      static_cast<unsigned char>(router[0]) * 256U + static_cast<unsigned char>(router[1]);
  return {
      {"cluster_ca_certificate", secrets.ca_certificate},
      {"cluster_ca_key", secrets.ca_key},
      {"consul_gossip_key", base64(hkdf(secrets.seed, "tutti role consul_gossip_key", 32))},
      {"keepalived_password", password(secrets, "keepalived_password", 8)},
      {"keepalived_router_id", std::to_string(1 + number % 255)},
      {"mesos_agent_secret", password(secrets, "mesos_agent_secret", 32)},
      {"mesos_framework_secret", password(secrets, "mesos_framework_secret", 32)},
      {"mesos_monitor_password", password(secrets, "mesos_monitor_password", 32)},
      {"keystore_password", password(secrets, "keystore_password", 32)},
  };
}

}  // namespace tutti::bootstrap
