#include "providers/model.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <span>

namespace tutti {
namespace {

constexpr std::array<std::pair<ResourceKind, std::string_view>, 8> kKinds{{
    {ResourceKind::instance, "instance"},
    {ResourceKind::network, "network"},
    {ResourceKind::security_group, "security_group"},
    {ResourceKind::volume, "volume"},
    {ResourceKind::attachment, "attachment"},
    {ResourceKind::address, "address"},
    {ResourceKind::virtual_address, "virtual_address"},
    {ResourceKind::key, "key"},
}};

constexpr std::size_t kTokenBytes = 20;  // 32 base32 characters

// RFC 4648's alphabet in lower case: tokens become names of hosts, containers and networks.
std::string base32(std::span<const unsigned char> bytes) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  unsigned buffer = 0;
  int bits = 0;
  for (const unsigned char byte : bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += kAlphabet[(buffer >> bits) & 31U];
    }
  }
  if (bits > 0) text += kAlphabet[(buffer << (5 - bits)) & 31U];
  return text;
}

// Each part carries its length, so that no two different lists of parts give the same bytes.
void append_part(std::string& out, std::string_view part) {
  out += std::to_string(part.size());
  out += ':';
  out += part;
}

}  // namespace

std::string_view to_string(ResourceKind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  TUTTI_ASSERT(false);
  return {};
}

std::optional<ResourceKind> resource_kind_from(std::string_view name) {
  for (const auto& [value, known] : kKinds) {
    if (known == name) return value;
  }
  return std::nullopt;
}

CreateToken make_create_token(const OwnerId& owner, const DeploymentId& deployment,
                              const ResourceId& resource, int incarnation) {
  std::string input;
  append_part(input, owner.value);
  append_part(input, deployment.value);
  append_part(input, resource.value);
  append_part(input, std::to_string(incarnation));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  TUTTI_ASSERT(
      EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  TUTTI_ASSERT(size >= kTokenBytes);
  return CreateToken{"t-" + base32(std::span(digest).first(kTokenBytes))};
}

ResourceKind kind_of(const ResourceSpec& spec) {
  struct Visitor {
    ResourceKind operator()(const NetworkSpec&) const { return ResourceKind::network; }
    ResourceKind operator()(const VirtualAddressSpec&) const {
      return ResourceKind::virtual_address;
    }
    ResourceKind operator()(const InstanceSpec&) const { return ResourceKind::instance; }
  };
  return std::visit(Visitor{}, spec);
}

std::string_view to_string(ResourceState state) {
  switch (state) {
    case ResourceState::building:
      return "building";
    case ResourceState::active:
      return "active";
    case ResourceState::stopped:
      return "stopped";
    case ResourceState::deleting:
      return "deleting";
    case ResourceState::failed:
      return "failed";
  }
  TUTTI_ASSERT(false);
  return {};
}

}  // namespace tutti
