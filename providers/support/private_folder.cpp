#include "providers/support/private_folder.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace tutti {

Result<void> make_private_folder(const std::string& path) {
  const auto refuse = [](const std::string& text) {
    return Error(ErrorClass::invalid, "folder", text);
  };
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return refuse("the folder " + path + " cannot be made: " + std::strerror(errno));
  }
  struct stat status {};
  // Not followed: in a folder that everybody writes to, a link could lead anywhere.
  if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return refuse(path + " is no folder");
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & 077U) != 0) {
    return refuse("the folder " + path +
                  " must belong to this user alone (chmod 700), since secrets go there");
  }
  return {};
}

}  // namespace tutti
