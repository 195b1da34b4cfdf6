#include "tests/sim/toy_world.hpp"

#include <utility>

namespace tutti::sim {

std::uint64_t Dice::below(std::uint64_t limit) {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t word = state_;
  word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  word = (word ^ (word >> 27U)) * 0x94d049bb133111ebULL;
  word ^= word >> 31U;
  return limit == 0 ? 0 : word % limit;
}

std::uint64_t Agenda::at(WallTime time, std::function<void()> what) {
  const std::uint64_t id = next_++;
  const Key key{std::max(time, now_), id};
  happenings_.emplace(key, std::move(what));
  keys_.emplace(id, key);
  return id;
}

void Agenda::cancel(std::uint64_t happening) {
  const auto key = keys_.find(happening);
  if (key == keys_.end()) return;
  happenings_.erase(key->second);
  keys_.erase(key);
}

void Agenda::step() {
  const auto first = happenings_.begin();
  now_ = first->first.first;
  const std::function<void()> what = std::move(first->second);
  keys_.erase(first->first.second);
  happenings_.erase(first);
  what();
}

WallTime Cloud::create(const Ownership& ownership, ResourceKind kind) {
  const milliseconds landing = dice_.time(window_.count() / 2 + 1);
  const milliseconds hidden = dice_.time(window_.count() / 2 + 1);
  const WallTime visible_at = agenda_.now() + landing + hidden;
  agenda_.after(landing, [this, ownership, kind, visible_at] {
    for (const auto& [id, object] : objects_) {
      require(object.resource.ownership.token != ownership.token || object.dying,
              "two live objects of one token");
    }
    Object object;
    object.resource.kind = kind;
    object.resource.native_id = NativeId("obj-" + std::to_string(next_++));
    object.resource.ownership = ownership;
    object.resource.state = ResourceState::active;
    object.resource.created_at = agenda_.now();
    object.visible_at = visible_at;
    objects_.emplace(object.resource.native_id.value, object);
  });
  return visible_at;
}

const Resource* Cloud::find(const CreateToken& token) const {
  for (const auto& [id, object] : objects_) {
    const bool visible = !object.dying && object.visible_at <= agenda_.now();
    if (visible && object.resource.ownership.token == token) return &object.resource;
  }
  return nullptr;
}

std::vector<Resource> Cloud::list() const {
  std::vector<Resource> visible;
  for (const auto& [id, object] : objects_) {
    if (object.visible_at > agenda_.now()) continue;
    visible.push_back(object.resource);
    if (object.dying) visible.back().state = ResourceState::deleting;
  }
  return visible;
}

bool Cloud::destroy(const CreateToken& token) {
  for (auto& [id, object] : objects_) {
    const bool mine = object.resource.ownership.token == token &&
                      object.visible_at <= agenda_.now() && !object.dying;
    if (!mine) continue;
    if (object.resource.kind == ResourceKind::network) {
      for (const auto& [other_id, other] : objects_) {
        if (other.resource.kind == ResourceKind::instance && other_id != stranger_) return false;
      }
    }
    object.dying = true;
    agenda_.after(dice_.time(1500), [this, gone = id] { objects_.erase(gone); });
  }
  return true;
}

void Cloud::add_stranger(Ownership ownership) {
  stranger_ = "stranger";
  Object object;
  object.resource.native_id = NativeId(stranger_);
  object.resource.ownership = std::move(ownership);
  object.resource.state = ResourceState::active;
  object.visible_at = agenda_.now();
  objects_.emplace(stranger_, object);
}

bool Cloud::stranger_lives() const {
  const auto found = objects_.find(stranger_);
  return found != objects_.end() && !found->second.dying;
}

}  // namespace tutti::sim
