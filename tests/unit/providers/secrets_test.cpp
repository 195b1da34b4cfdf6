#include "providers/support/secrets.hpp"

#include "providers/support/random.hpp"
#include "providers/support/redactor.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace tutti {
namespace {

Sealer sealer_of(char fill) {
  return std::move(Sealer::from_key(SecretString(std::string(32, fill)))).value();
}

TEST(Sealer, OpensWhatItSealed) {
  const Sealer sealer = sealer_of('k');
  for (const std::string& plain : {std::string(), std::string("p"), random_bytes(100000)}) {
    const std::string sealed = sealer.seal(plain, "here");
    EXPECT_EQ(sealer.unseal(sealed, "here").value(), plain);
  }
}

TEST(Sealer, NeverSealsTheSameTwiceNorShowsThePlainText) {
  const Sealer sealer = sealer_of('k');
  const std::string plain = "a canary in the coal mine";
  const std::string one = sealer.seal(plain, "c"), two = sealer.seal(plain, "c");
  EXPECT_NE(one, two);
  EXPECT_EQ(one.find(plain), std::string::npos);
}

TEST(Sealer, RefusesEveryFlippedBit) {
  const Sealer sealer = sealer_of('k');
  const std::string sealed = sealer.seal("secret", "c");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string other = sealed;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(sealer.unseal(other, "c")) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(sealer.unseal(sealed.substr(0, size), "c")) << size;
  }
}

TEST(Sealer, RefusesAnotherPlaceAndAnotherKey) {
  const std::string sealed = sealer_of('k').seal("secret", "row 1");
  EXPECT_FALSE(sealer_of('k').unseal(sealed, "row 2"));
  const auto other_key = sealer_of('l').unseal(sealed, "row 1");
  ASSERT_FALSE(other_key);
  EXPECT_EQ(other_key.error().code, "unseal");
}

TEST(Sealer, MakesItsKeyFileOnceAndPrivately) {
  const test::TempFolder folder;
  const std::string file = folder.file("key");
  const Sealer first = std::move(Sealer::open(file)).value();
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(status.st_nlink, 1U);
  const Sealer second = std::move(Sealer::open(file)).value();
  EXPECT_EQ(second.unseal(first.seal("s", "c"), "c").value(), "s");
  EXPECT_EQ(first.unseal(test::read_file(file), "c").has_value(), false);
}

TEST(Sealer, RefusesBadKeyFiles) {
  const test::TempFolder folder;
  const std::string file = folder.file("key");
  ASSERT_TRUE(Sealer::open(file));
  ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
  const auto readable = Sealer::open(file);
  ASSERT_FALSE(readable);
  EXPECT_NE(readable.error().message.find("chmod 600"), std::string::npos);
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  ASSERT_EQ(::truncate(file.c_str(), 31), 0);
  EXPECT_FALSE(Sealer::open(file));
  ASSERT_EQ(::truncate(file.c_str(), 33), 0);
  EXPECT_FALSE(Sealer::open(file));
  ASSERT_EQ(::symlink(file.c_str(), folder.file("link").c_str()), 0);
  EXPECT_FALSE(Sealer::open(folder.file("link")));
  EXPECT_FALSE(Sealer::open(folder.file("no/such/folder/key")));
  EXPECT_FALSE(Sealer::from_key(SecretString("short")));
}

TEST(SecretString, LeavesNothingBehindWhenMoved) {
  SecretString one(std::string("hunter2"));
  const SecretString two(std::move(one));
  EXPECT_EQ(two.reveal(), "hunter2");
  EXPECT_TRUE(one.empty());  // NOLINT(bugprone-use-after-move): the promise under test
}

TEST(Uuid, HasVersionVariantAndOrder) {
  const WallTime early{std::chrono::milliseconds(1464592259123)};
  const std::string seven = make_uuid_v7(early);
  EXPECT_TRUE(is_uuid(seven));
  EXPECT_EQ(seven.substr(0, 15), "01550080-5833-7");
  EXPECT_NE(std::string("89ab").find(seven[19]), std::string::npos);
  EXPECT_LT(seven, make_uuid_v7(early + std::chrono::milliseconds(1)));
  const std::string four = make_uuid_v4();
  EXPECT_TRUE(is_uuid(four));
  EXPECT_EQ(four[14], '4');
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) all.insert(make_uuid_v4());
  EXPECT_EQ(all.size(), 1000U);
  EXPECT_FALSE(is_uuid(""));
  EXPECT_FALSE(is_uuid(four + "0"));
  EXPECT_FALSE(is_uuid("zz" + four.substr(2)));
}

TEST(Redactor, TakesOutTheLongestSecretFirst) {
  Redactor redactor;
  redactor.add("hunter2");
  redactor.add("hunter2-extended");
  EXPECT_EQ(redactor.redact("a hunter2-extended, hunter2hunter2 hunter1"),
            "a [secret], [secret][secret] hunter1");
}

TEST(Redactor, CountsAndForgets) {
  Redactor redactor;
  redactor.add("topsecret");
  redactor.add("topsecret");
  redactor.remove("topsecret");
  EXPECT_EQ(redactor.redact("topsecret"), "[secret]");
  redactor.remove("topsecret");
  redactor.remove("topsecret");
  EXPECT_EQ(redactor.redact("topsecret"), "topsecret");
}

TEST(Redactor, LeavesShortWordsAndKnowsLinesOfKeys) {
  Redactor redactor;
  redactor.add("on");
  EXPECT_EQ(redactor.redact("once upon"), "once upon");
  redactor.add("-----BEGIN KEY-----\nAAAABBBBCCCC\n-----END KEY-----\n");
  EXPECT_EQ(redactor.redact("read AAAABBBBCCCC between -----BEGIN KEY-----"),
            "read [secret] between -----BEGIN KEY-----");
}

}  // namespace
}  // namespace tutti
