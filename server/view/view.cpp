#include "server/view/view.hpp"

#include "server/view/progress.hpp"
#include "server/view/render.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace tutti::view {
namespace {

// A pointer that one writer replaces while readers copy it. A lock for the length of a copy, since
// std::atomic<std::shared_ptr> of GCC 12 releases its reads without ordering them before the next
// write: a data race by the letter, and ThreadSanitizer says so.
template <class T>
class Shared {
 public:
  [[nodiscard]] std::shared_ptr<T> load() const {
    const std::lock_guard lock(mutex_);
    return pointer_;
  }
  void store(std::shared_ptr<T> pointer) {
    const std::lock_guard lock(mutex_);
    pointer_.swap(pointer);  // what goes is destroyed after the lock
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<T> pointer_;
};

// One deployment: what the engine said last, and what was rendered of it last. Only rendering is
// one reader's at a time.
class Entry {
 public:
  explicit Entry(Facts facts) { publish(std::move(facts)); }

  // By one thread.
  void publish(Facts facts) {
    const auto before = told_.load();
    auto told = std::make_shared<Told>();
    told->request = read(std::exchange(facts.request_json, nullptr));
    told->facts = std::move(facts);
    // A task that begins is published with the state of before, and changes nothing of this.
    const bool same = before && before->facts.state == told->facts.state &&
                      before->facts.topology == told->facts.topology &&
                      before->request == told->request;
    told->number = before ? before->number + (same ? 0 : 1) : 1;
    told_.store(std::move(told));
  }

  std::shared_ptr<const Snapshot> snapshot(const SiteInfo& site) {
    const std::uint64_t wanted = told_.load()->number;
    auto rendered = rendered_.load();
    if (rendered && rendered->number >= wanted) return {rendered, &rendered->snapshot};
    const std::lock_guard lock(rendering_);
    rendered = rendered_.load();
    if (rendered && rendered->number >= wanted) return {rendered, &rendered->snapshot};
    const auto told = told_.load();
    auto fresh = std::make_shared<const Rendered>(told->number, render(*told, site));
    rendered_.store(fresh);
    return {fresh, &fresh->snapshot};
  }

  std::string progress(WallTime now) {
    const auto told = told_.load();
    return render_progress(told->facts, *told->request, now);
  }

  Card card() {
    const auto told = told_.load();
    const auto& state = *told->facts.state;
    const auto& request = *told->request;
    Card card;
    card.id = state.id;
    card.created_at = state.created_at;
    card.updated_at = state.updated_at;
    card.status = state.status;
    card.created_by = request.subject.empty() ? kAnonymous : request.subject + "@" + request.issuer;
    card.user_group = request.user_group;
    return card;
  }

 private:
  struct Told {
    Facts facts;
    std::shared_ptr<const RequestFacts> request;
    std::uint64_t number = 0;  // rises when what is rendered would change
  };
  struct Rendered {
    Rendered(std::uint64_t n, Snapshot s) : number(n), snapshot(std::move(s)) {}
    std::uint64_t number;
    Snapshot snapshot;
  };

  // The request rarely changes: it is read once. It is known again by its address, which stays
  // taken for as long as the weak pointer does not expire; null says that it is the one of before.
  std::shared_ptr<const RequestFacts> read(const std::shared_ptr<const std::string>& json) {
    const bool known = request_ && (!json || json == request_json_.lock());
    if (!known) {
      request_ =
          std::make_shared<const RequestFacts>(json ? read_request_facts(*json) : RequestFacts{});
      request_json_ = json;
    }
    return request_;
  }

  static Snapshot render(const Told& told, const SiteInfo& site) {
    const Facts& facts = told.facts;
    Snapshot snapshot;
    snapshot.id = facts.state->id;
    snapshot.status = facts.state->status;
    snapshot.facts = facts;
    snapshot.request = told.request;
    snapshot.json = render_deployment(facts, *told.request, site, nullptr);
    snapshot.reveals = has_revealed_outputs(facts);
    snapshot.extrainfo = render_extrainfo(facts, site);
    snapshot.resources = render_resources(facts, site);
    return snapshot;
  }

  // Of the publishing thread alone.
  std::weak_ptr<const std::string> request_json_;
  std::shared_ptr<const RequestFacts> request_;

  Shared<const Told> told_;
  Shared<const Rendered> rendered_;
  std::mutex rendering_;
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
using Entries = std::unordered_map<std::string, std::shared_ptr<Entry>, TextHash, std::equal_to<>>;

constexpr std::size_t kShards = 64;

}  // namespace

// Shards are copied when a deployment comes or goes, and only then; publishing changes an entry.
struct View::Impl {
  explicit Impl(SiteInfo info) : site(std::move(info)) {
    for (auto& shard : shards) shard.store(std::make_shared<const Entries>());
  }

  static std::size_t shard_of(std::string_view id) { return TextHash{}(id) % kShards; }

  [[nodiscard]] std::shared_ptr<Entry> find(std::string_view id) const {
    const auto entries = shards[shard_of(id)].load();
    const auto found = entries->find(id);
    return found == entries->end() ? nullptr : found->second;
  }

  SiteInfo site;
  std::array<Shared<const Entries>, kShards> shards;
};

std::string splice(std::string_view text, std::string_view base) {
  std::string out;
  out.reserve(text.size() + 4 * base.size());
  for (std::size_t from = 0;;) {
    const std::size_t mark = text.find(kBase, from);
    out.append(text.substr(from, mark - from));
    if (mark == std::string_view::npos) return out;
    out.append(base);
    from = mark + 1;
  }
}

View::View(SiteInfo site) : impl_(std::make_unique<Impl>(std::move(site))) {}
View::~View() = default;

void View::publish(const DeploymentId& deployment, Facts facts) {
  if (const auto entry = impl_->find(deployment.value)) {
    entry->publish(std::move(facts));
    return;
  }
  auto& shard = impl_->shards[Impl::shard_of(deployment.value)];
  auto entries = std::make_shared<Entries>(*shard.load());
  entries->emplace(deployment.value, std::make_shared<Entry>(std::move(facts)));
  shard.store(std::move(entries));
}

void View::forget(const DeploymentId& deployment) {
  auto& shard = impl_->shards[Impl::shard_of(deployment.value)];
  auto entries = std::make_shared<Entries>(*shard.load());
  entries->erase(deployment.value);
  shard.store(std::move(entries));
}

std::shared_ptr<const Snapshot> View::find(std::string_view id) const {
  const auto entry = impl_->find(id);
  return entry ? entry->snapshot(impl_->site) : nullptr;
}

std::string View::reveal(const Snapshot& snapshot, const plan::SecretSource& secrets) const {
  return render_deployment(snapshot.facts, *snapshot.request, impl_->site, &secrets);
}

std::optional<std::string> View::progress(std::string_view id, WallTime now) const {
  const auto entry = impl_->find(id);
  if (!entry) return std::nullopt;
  return entry->progress(now);
}

std::vector<Card> View::cards() const {
  std::vector<Card> cards;
  for (const auto& shard : impl_->shards) {
    const auto entries = shard.load();
    for (const auto& [id, entry] : *entries) cards.push_back(entry->card());
  }
  std::sort(cards.begin(), cards.end(), [](const Card& a, const Card& b) {
    return std::tie(a.created_at, a.id.value) > std::tie(b.created_at, b.id.value);
  });
  return cards;
}

}  // namespace tutti::view
