#include "server/view/view.hpp"

#include "server/view/progress.hpp"
#include "server/view/render.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>

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

  void publish(Facts facts) {
    facts_.store(std::make_shared<const Facts>(std::move(facts)));
    published_.fetch_add(1);
  }

  std::shared_ptr<const Snapshot> snapshot(const SiteInfo& site) {
    // Read before the facts: what is rendered may be newer than its number, never older.
    const std::uint64_t wanted = published_.load();
    auto rendered = rendered_.load();
    if (rendered && rendered->number >= wanted) return {rendered, &rendered->snapshot};
    const std::lock_guard lock(rendering_);
    rendered = rendered_.load();
    if (rendered && rendered->number >= wanted) return {rendered, &rendered->snapshot};
    const std::uint64_t number = published_.load();
    auto fresh = std::make_shared<const Rendered>(number, render(*facts_.load(), site));
    rendered_.store(fresh);
    return {fresh, &fresh->snapshot};
  }

  std::string progress(WallTime now) {
    const auto facts = facts_.load();
    const auto request = request_of(*facts);
    return render_progress(*facts, *request, now);
  }

  Card card() {
    const auto facts = facts_.load();
    const auto request = request_of(*facts);
    const auto& state = *facts->state;
    Card card;
    card.id = state.id;
    card.created_at = state.created_at;
    card.updated_at = state.updated_at;
    card.status = state.status;
    if (!request->subject.empty()) card.created_by = request->subject + "@" + request->issuer;
    card.user_group = request->user_group;
    return card;
  }

 private:
  struct Rendered {
    Rendered(std::uint64_t n, Snapshot s) : number(n), snapshot(std::move(s)) {}
    std::uint64_t number;
    Snapshot snapshot;
  };
  // The request never changes within a generation: it is read once.
  struct Request {
    std::shared_ptr<const std::string> json;
    RequestFacts facts;
  };

  std::shared_ptr<const RequestFacts> request_of(const Facts& facts) {
    auto request = request_.load();
    if (!request || request->json != facts.request_json) {
      auto fresh = std::make_shared<Request>();
      fresh->json = facts.request_json;
      if (fresh->json) fresh->facts = read_request_facts(*fresh->json);
      request = std::move(fresh);
      request_.store(request);
    }
    return {request, &request->facts};
  }

  Snapshot render(const Facts& facts, const SiteInfo& site) {
    Snapshot snapshot;
    snapshot.id = facts.state->id;
    snapshot.status = facts.state->status;
    snapshot.facts = facts;
    snapshot.json = render_deployment(facts, *request_of(facts), site, nullptr);
    snapshot.reveals = has_revealed_outputs(facts);
    snapshot.extrainfo = render_extrainfo(facts, site);
    snapshot.resources = render_resources(facts, site);
    return snapshot;
  }

  std::atomic<std::uint64_t> published_{0};
  Shared<const Facts> facts_;
  Shared<const Rendered> rendered_;
  Shared<const Request> request_;
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
  const Facts& facts = snapshot.facts;
  const auto request =
      facts.request_json ? read_request_facts(*facts.request_json) : RequestFacts{};
  return render_deployment(facts, request, impl_->site, &secrets);
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
