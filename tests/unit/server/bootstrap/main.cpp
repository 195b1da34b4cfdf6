// This test program is also its own supervisor and, in one test, the daemon that dies.
#include "server/bootstrap/supervisor.hpp"

#include <gtest/gtest.h>

#include <cstring>

int run_until_killed(char** argv);  // ansible_test.cpp

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], tutti::bootstrap::kSuperviseWord) == 0) {
    return tutti::bootstrap::supervise_main(argc, argv);
  }
  if (argc > 2 && std::strcmp(argv[1], "__run_until_killed") == 0) return run_until_killed(argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
