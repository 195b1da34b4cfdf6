#include "server/reconcile/codec.hpp"

#include <array>
#include <utility>

namespace tutti::reconcile {

namespace {

template <class T, std::size_t N>
using Names = std::array<std::pair<T, std::string_view>, N>;

constexpr Names<DeploymentStatus, 10> kStatuses{{
    {DeploymentStatus::create_in_progress, "CREATE_IN_PROGRESS"},
    {DeploymentStatus::create_complete, "CREATE_COMPLETE"},
    {DeploymentStatus::create_failed, "CREATE_FAILED"},
    {DeploymentStatus::update_in_progress, "UPDATE_IN_PROGRESS"},
    {DeploymentStatus::update_complete, "UPDATE_COMPLETE"},
    {DeploymentStatus::update_failed, "UPDATE_FAILED"},
    {DeploymentStatus::delete_in_progress, "DELETE_IN_PROGRESS"},
    {DeploymentStatus::delete_complete, "DELETE_COMPLETE"},
    {DeploymentStatus::delete_failed, "DELETE_FAILED"},
    {DeploymentStatus::unknown, "UNKNOWN"},
}};

constexpr Names<StepRecord::Status, 7> kStepStatuses{{
    {StepRecord::Status::waiting, "waiting"},
    {StepRecord::Status::running, "running"},
    {StepRecord::Status::retrying, "retrying"},
    {StepRecord::Status::blocked, "blocked"},
    {StepRecord::Status::aborting, "aborting"},
    {StepRecord::Status::done, "done"},
    {StepRecord::Status::failed, "failed"},
}};

constexpr Names<ResourceRecord::Status, 5> kResourceStatuses{{
    {ResourceRecord::Status::planned, "planned"},
    {ResourceRecord::Status::creating, "creating"},
    {ResourceRecord::Status::active, "active"},
    {ResourceRecord::Status::destroying, "destroying"},
    {ResourceRecord::Status::gone, "gone"},
}};

constexpr Names<Goal, 2> kGoals{{{Goal::present, "present"}, {Goal::absent, "absent"}}};

template <class T, std::size_t N>
std::string_view name_in(const Names<T, N>& names, T value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return names.back().second;
}

template <class T, std::size_t N>
std::optional<T> value_in(const Names<T, N>& names, std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(DeploymentStatus status) {
  return name_in(kStatuses, status);
}
std::string_view to_string(StepRecord::Status status) {
  return name_in(kStepStatuses, status);
}
std::string_view to_string(ResourceRecord::Status status) {
  return name_in(kResourceStatuses, status);
}
std::string_view to_string(Goal goal) {
  return name_in(kGoals, goal);
}

std::optional<DeploymentStatus> deployment_status_from(std::string_view name) {
  return value_in(kStatuses, name);
}
std::optional<StepRecord::Status> step_status_from(std::string_view name) {
  return value_in(kStepStatuses, name);
}
std::optional<ResourceRecord::Status> resource_status_from(std::string_view name) {
  return value_in(kResourceStatuses, name);
}
std::optional<Goal> goal_from(std::string_view name) {
  return value_in(kGoals, name);
}

bool is_terminal(DeploymentStatus status) {
  switch (status) {
    case DeploymentStatus::create_in_progress:
    case DeploymentStatus::update_in_progress:
    case DeploymentStatus::delete_in_progress:
      return false;
    default:
      return true;
  }
}

}  // namespace tutti::reconcile
