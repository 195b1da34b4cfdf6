#include "providers/support/secrets.hpp"

#include "providers/support/random.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace tutti {
namespace {

constexpr char kVersion = 1;  // of the sealed form: version, nonce, tag, cipher text
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kHeaderBytes = 1 + kNonceBytes + kTagBytes;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Cipher make_cipher() {
  return {EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
}
const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

struct File {
  explicit File(int descriptor) : fd(descriptor) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd;
};

Error file_error(const std::string& file, const char* what) {
  return Error(ErrorClass::invalid, "key_file",
               "the key file " + file + " " + what + ": " + std::strerror(errno));
}

bool sync_folder_of(const std::string& file) {
  auto folder = std::filesystem::path(file).parent_path();
  if (folder.empty()) folder = ".";
  const File handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return handle.fd >= 0 && ::fsync(handle.fd) == 0;
}

// The new key appears under its name only when it is whole and on disk; whoever loses the race
// reads the winner's.
Result<void> make_key_file(const std::string& file) {
  const std::string draft = file + "." + make_uuid_v4();
  {
    const File handle(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (handle.fd < 0) return file_error(file, "cannot be made");
    const SecretString key(random_bytes(Sealer::kKeyBytes));
    const auto written = ::write(handle.fd, key.reveal().data(), key.reveal().size());
    if (written != static_cast<ssize_t>(Sealer::kKeyBytes) || ::fsync(handle.fd) != 0) {
      ::unlink(draft.c_str());
      return file_error(file, "cannot be written");
    }
  }
  const bool linked = ::link(draft.c_str(), file.c_str()) == 0 || errno == EEXIST;
  const int link_errno = errno;
  ::unlink(draft.c_str());
  errno = link_errno;
  if (!linked || !sync_folder_of(file)) return file_error(file, "cannot be made");
  return {};
}

}  // namespace

void wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.capacity());
  text.clear();
}

SecretString::SecretString(SecretString&& other) noexcept : text_(std::move(other.text_)) {
  wipe(other.text_);  // a short text stays behind in the source's own buffer
}

SecretString& SecretString::operator=(SecretString&& other) noexcept {
  if (this != &other) {
    wipe(text_);
    text_ = std::move(other.text_);
    wipe(other.text_);
  }
  return *this;
}

Result<Sealer> Sealer::open(const std::string& key_file) {
  int fd = ::open(key_file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    if (auto made = make_key_file(key_file); !made) return std::move(made).error();
    fd = ::open(key_file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  }
  const File file(fd);
  if (file.fd < 0) return file_error(key_file, "cannot be read");
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) return file_error(key_file, "cannot be read");
  if (!S_ISREG(status.st_mode) || (status.st_mode & 077U) != 0) {
    return Error(ErrorClass::invalid, "key_file",
                 "the key file " + key_file +
                     " must be a plain file that its owner alone can read "
                     "(chmod 600)");
  }
  std::string key(kKeyBytes + 1, '\0');
  const auto size = ::read(file.fd, key.data(), key.size());
  SecretString secret(std::move(key));
  if (size != static_cast<ssize_t>(kKeyBytes)) {
    return Error(ErrorClass::invalid, "key_file",
                 "the key file " + key_file + " must hold exactly 32 bytes");
  }
  return from_key(SecretString(secret.reveal().substr(0, kKeyBytes)));
}

Result<Sealer> Sealer::from_key(SecretString key) {
  if (key.reveal().size() != kKeyBytes) {
    return Error(ErrorClass::invalid, "key_size", "a sealing key has exactly 32 bytes");
  }
  return Sealer(std::move(key));
}

std::string Sealer::seal(std::string_view plain, std::string_view context) const {
  const std::string nonce = random_bytes(kNonceBytes);
  std::string sealed(kHeaderBytes + plain.size(), '\0');
  const auto cipher = make_cipher();
  int size = 0;
  TUTTI_ASSERT(cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                            bytes(key_.reveal()), bytes(nonce)) == 1);
  TUTTI_ASSERT(EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes(context),
                                 static_cast<int>(context.size())) == 1);
  unsigned char* out = bytes(sealed) + kHeaderBytes;
  TUTTI_ASSERT(EVP_EncryptUpdate(cipher.get(), out, &size, bytes(plain),
                                 static_cast<int>(plain.size())) == 1);
  TUTTI_ASSERT(EVP_EncryptFinal_ex(cipher.get(), out + size, &size) == 1);
  sealed[0] = kVersion;
  sealed.replace(1, kNonceBytes, nonce);
  TUTTI_ASSERT(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                                   bytes(sealed) + 1 + kNonceBytes) == 1);
  return sealed;
}

Result<std::string> Sealer::unseal(std::string_view sealed, std::string_view context) const {
  const auto refuse = [] {
    return Error(ErrorClass::invalid, "unseal",
                 "a sealed text does not open: another key, another place, or damaged");
  };
  if (sealed.size() < kHeaderBytes || sealed[0] != kVersion) return refuse();
  const std::string_view body = sealed.substr(kHeaderBytes);
  std::string tag(sealed.substr(1 + kNonceBytes, kTagBytes));
  std::string plain(body.size(), '\0');
  const auto cipher = make_cipher();
  int size = 0;
  TUTTI_ASSERT(cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                            bytes(key_.reveal()), bytes(sealed.substr(1))) == 1);
  TUTTI_ASSERT(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, bytes(tag)) == 1);
  const bool opened = EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes(context),
                                        static_cast<int>(context.size())) == 1 &&
                      EVP_DecryptUpdate(cipher.get(), bytes(plain), &size, bytes(body),
                                        static_cast<int>(body.size())) == 1 &&
                      EVP_DecryptFinal_ex(cipher.get(), bytes(plain) + size, &size) == 1;
  if (!opened) {
    wipe(plain);
    return refuse();
  }
  return plain;
}

}  // namespace tutti
