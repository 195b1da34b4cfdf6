#include "providers/support/private_folder.hpp"

#include "tests/unit/providers/coroutine.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace tutti {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 0777U;
}

TEST(PrivateFolder, IsMadeAndTakenAgain) {
  const test::TempFolder folder;
  const std::string path = folder.file("a/b");
  ASSERT_TRUE(make_private_folder(path));
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_TRUE(make_private_folder(path));
}

TEST(PrivateFolder, WhatOthersMayEnterIsRefusedAndLeftAsItIs) {
  const test::TempFolder folder;
  const std::string path = folder.file("shared");
  ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
  const auto made = make_private_folder(path);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("chmod 700"), std::string::npos);
  EXPECT_EQ(mode_of(path), 0755U);
}

TEST(PrivateFolder, FilesAndLinksAreRefused) {
  const test::TempFolder folder;
  std::ofstream(folder.file("file")) << "x";
  EXPECT_FALSE(make_private_folder(folder.file("file")));
  ASSERT_TRUE(make_private_folder(folder.file("real")));
  ASSERT_EQ(::symlink(folder.file("real").c_str(), folder.file("link").c_str()), 0);
  EXPECT_FALSE(make_private_folder(folder.file("link")));
}

}  // namespace
}  // namespace tutti
