// Many seeds, each a whole life: a few here, thousands with TUTTI_SIM_SEEDS (an optimised build
// takes 2 ms for each). TUTTI_SIM_SEED runs one.
#include "tests/sim/simulation.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace tutti::sim {
namespace {

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

TEST(Simulation, InvariantsHoldForEverySeed) {
  const std::uint64_t only = number_from("TUTTI_SIM_SEED", 0);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : number_from("TUTTI_SIM_SEEDS", 150);
  int kills = 0;
  int upgrades = 0;
  int completed = 0;
  int failed = 0;
  int early = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    try {
      const Report report = Simulation(seed).run();
      kills += report.kills;
      upgrades += report.upgrades;
      completed += report.completed ? 1 : 0;
      failed += report.failed ? 1 : 0;
      early += report.deleted_early ? 1 : 0;
    } catch (const Violation& violation) {
      FAIL() << "seed " << seed << ": " << violation.what();
    }
  }
  RecordProperty("kills", kills);
  RecordProperty("completed", completed);
  RecordProperty("failed", failed);
  if (only != 0 || last < 150) return;
  // The seeds reach what they are meant to reach.
  EXPECT_GT(kills, 100);
  EXPECT_GT(upgrades, 20);
  EXPECT_GT(completed, 40);
  EXPECT_GT(failed, 5);
  EXPECT_GT(early, 40);
}

}  // namespace
}  // namespace tutti::sim
