// What goes wrong between a caller and the simulated cloud: planned one by one, or by a seed. Pure
// and repeatable.
#pragma once

#include "providers/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace tutti::simulated {

struct Fault {
  // None: the answer comes. Before: refused, without effect. After: it has its effect, and the
  // caller hears of a failure instead.
  enum class When { none, before, after };
  When when = When::none;
  ErrorClass cls = ErrorClass::transient;
  std::string code = "connection_lost";
  std::chrono::milliseconds request_delay{0};  // until the request has its effect
  std::chrono::milliseconds answer_delay{0};   // from the effect until the answer

  [[nodiscard]] Error error() const;
};

// Probabilities per call, out of 1000, and the longest random delay of request and answer each.
struct FaultRates {
  std::uint32_t lost_requests = 0;
  std::uint32_t lost_answers = 0;
  std::uint32_t throttled = 0;
  std::chrono::milliseconds longest_delay{0};
};

class Faults {
 public:
  explicit Faults(std::uint64_t seed = 0, FaultRates rates = {}) : state_(seed), rates_(rates) {}

  // The next calls of `operation` ("create", "find", "list", "power", "destroy", "catalogue") meet
  // the planned faults in order; only when none is left does chance decide.
  void plan(const std::string& operation, Fault fault, int times = 1);
  void set_rates(FaultRates rates) { rates_ = rates; }
  [[nodiscard]] Fault next(const std::string& operation);
  [[nodiscard]] const std::map<std::string, int>& calls() const { return calls_; }

 private:
  std::uint64_t random();

  std::uint64_t state_;
  FaultRates rates_;
  std::map<std::string, std::deque<Fault>> planned_;
  std::map<std::string, int> calls_;
};

}  // namespace tutti::simulated
