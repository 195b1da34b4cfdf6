#include "providers/simulated/faults.hpp"

namespace tutti::simulated {

Error Fault::error() const {
  return Error(cls, code, "the simulated cloud was told to fail this call");
}

void Faults::plan(const std::string& operation, Fault fault, int times) {
  auto& queue = planned_[operation];
  for (int i = 0; i < times; ++i) queue.push_back(fault);
}

// SplitMix64: small, good enough, the same everywhere.
std::uint64_t Faults::random() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

Fault Faults::next(const std::string& operation) {
  ++calls_[operation];
  auto& queue = planned_[operation];
  if (!queue.empty()) {
    Fault fault = queue.front();
    queue.pop_front();
    return fault;
  }
  Fault fault;
  if (rates_.longest_delay.count() > 0) {
    const auto span = static_cast<std::uint64_t>(rates_.longest_delay.count()) + 1;
    fault.request_delay = std::chrono::milliseconds(random() % span);
    fault.answer_delay = std::chrono::milliseconds(random() % span);
  }
  const std::uint64_t dice = random() % 1000;
  if (dice < rates_.lost_requests) {
    fault.when = Fault::When::before;
  } else if (dice < rates_.lost_requests + rates_.lost_answers) {
    fault.when = Fault::When::after;
  } else if (dice < rates_.lost_requests + rates_.lost_answers + rates_.throttled) {
    fault.when = Fault::When::before;
    fault.cls = ErrorClass::throttled;
    fault.code = "throttled";
  }
  return fault;
}

}  // namespace tutti::simulated
