// What is outside of the daemon, for the simulation of reconcile: virtual time, a cloud in memory
// whose objects land and become visible late, and bootstrap runs that outlive a killed daemon.
// A stand-in for clouds and Ansible; the real engine and providers have tests of their own.
#pragma once

#include "providers/model.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace tutti::sim {

using std::chrono::milliseconds;

// An invariant was broken; the text says which, the caller adds the seed.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool holds, const std::string& what) {
  if (!holds) throw Violation(what);
}

// Numbers that are the same everywhere for the same seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 1) {}
  [[nodiscard]] std::uint64_t below(std::uint64_t limit);
  [[nodiscard]] milliseconds time(std::int64_t longest_ms) {
    return milliseconds(static_cast<std::int64_t>(below(static_cast<std::uint64_t>(longest_ms))));
  }
  [[nodiscard]] bool chance(int percent) {
    return below(100) < static_cast<std::uint64_t>(percent);
  }

 private:
  std::uint64_t state_;
};

// Happenings in the order of their virtual time; those of one instant in the order of their making.
class Agenda {
 public:
  [[nodiscard]] WallTime now() const { return now_; }
  [[nodiscard]] bool empty() const { return happenings_.empty(); }
  std::uint64_t at(WallTime time, std::function<void()> what);
  std::uint64_t after(milliseconds delay, std::function<void()> what) {
    return at(now_ + delay, std::move(what));
  }
  void cancel(std::uint64_t happening);
  void step();

 private:
  using Key = std::pair<WallTime, std::uint64_t>;
  WallTime now_{std::chrono::hours(24 * 365 * 50)};
  std::uint64_t next_ = 1;
  std::map<Key, std::function<void()>> happenings_;
  std::map<std::uint64_t, Key> keys_;
};

class Cloud {
 public:
  Cloud(Agenda& agenda, Dice& dice, milliseconds window)
      : agenda_(agenda), dice_(dice), window_(window) {}

  // The request took effect on its way: the object lands and becomes visible within the window.
  // Returns when it is visible.
  WallTime create(const Ownership& ownership, ResourceKind kind);
  [[nodiscard]] const Resource* find(const CreateToken& token) const;
  [[nodiscard]] std::vector<Resource> list() const;
  // True when accepted; false when something still uses it.
  [[nodiscard]] bool destroy(const CreateToken& token);
  void add_stranger(Ownership ownership);
  [[nodiscard]] std::size_t size() const { return objects_.size(); }
  [[nodiscard]] bool stranger_lives() const;

 private:
  struct Object {
    Resource resource;
    WallTime visible_at;
    bool dying = false;
  };

  Agenda& agenda_;
  Dice& dice_;
  milliseconds window_;
  std::map<std::string, Object> objects_;  // by native id
  std::string stranger_;
  std::uint64_t next_ = 1;
};

}  // namespace tutti::sim
