// The plain forms of a step's end, shared by those who perform steps and those who abort them.
#pragma once

#include "server/engine/deployment.hpp"

namespace tutti::engine {

[[nodiscard]] inline reconcile::Failure failure_of(const Error& error) {
  return {error.cls, error.code, error.describe()};
}

[[nodiscard]] inline reconcile::StepFailed failed(const RunningStep& running, const Error& error) {
  reconcile::StepFailed event;
  event.step = running.start.step;
  event.attempt = running.start.attempt;
  event.failure = failure_of(error);
  event.create_may_appear = running.may_appear;
  return event;
}

[[nodiscard]] inline reconcile::StepFailed aborted(const RunningStep& running) {
  const Error error(ErrorClass::transient, "aborted", "the step was aborted");
  reconcile::StepFailed event = failed(running, error);
  event.aborted = true;
  return event;
}

[[nodiscard]] inline reconcile::StepSucceeded succeeded(const RunningStep& running) {
  reconcile::StepSucceeded event;
  event.step = running.start.step;
  event.attempt = running.start.attempt;
  return event;
}

}  // namespace tutti::engine
