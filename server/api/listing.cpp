#include "server/api/listing.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace tutti::api {
namespace {

using view::Card;
using view::RenderedResource;

// For clients that cannot read a second page.
constexpr std::size_t kLavishPageSize = 1000;

const std::vector<std::string_view> kDeploymentFields{
    "createdAt", "creationTime", "updatedAt", "updateTime", "status", "id", "uuid", "userGroup"};
const std::vector<std::string_view> kResourceFields{"createdAt",  "creationTime",  "updatedAt",
                                                    "updateTime", "state",         "id",
                                                    "uuid",       "toscaNodeName", "toscaNodeType"};

int sign(std::strong_ordering order) {
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

int compare(const Card& a, const Card& b, std::string_view field) {
  if (field == "createdAt" || field == "creationTime") return sign(a.created_at <=> b.created_at);
  if (field == "updatedAt" || field == "updateTime") return sign(a.updated_at <=> b.updated_at);
  if (field == "status") {
    return reconcile::to_string(a.status).compare(reconcile::to_string(b.status));
  }
  if (field == "userGroup") return a.user_group.compare(b.user_group);
  return a.id.value.compare(b.id.value);
}

int compare(const RenderedResource& a, const RenderedResource& b, std::string_view field) {
  if (field == "createdAt" || field == "creationTime") return sign(a.created_at <=> b.created_at);
  if (field == "updatedAt" || field == "updateTime") return sign(a.updated_at <=> b.updated_at);
  if (field == "state") return a.state.compare(b.state);
  if (field == "toscaNodeName") return a.node.compare(b.node);
  if (field == "toscaNodeType") return a.type.compare(b.type);
  return a.id.value.compare(b.id.value);
}

// Stable: what the keys do not decide keeps the default order.
template <class T>
void sort_by(std::vector<T>& items, const std::vector<SortKey>& keys,
             const std::function<int(const T&, const T&, std::string_view)>& order) {
  if (keys.empty()) return;
  std::stable_sort(items.begin(), items.end(), [&](const T& a, const T& b) {
    for (const SortKey& key : keys) {
      const int result = order(a, b, key.field);
      if (result != 0) return key.descending ? result > 0 : result < 0;
    }
    return false;
  });
}

std::set<std::string, std::less<>> split_list(std::string_view text) {
  std::set<std::string, std::less<>> words;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    words.emplace(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return words;
}

// createdBy=me|subject@issuer, userGroup=G, excludedStatus=A,B
Accepted<std::function<bool(const Card&)>> read_filter(const http::Target& target) {
  std::optional<std::string> owner;
  if (const auto created_by = target.parameter("createdBy"); created_by && !created_by->empty()) {
    if (*created_by == "me") {
      owner = view::kAnonymous;  // without authentication that is everybody
    } else if (created_by->find('@') == std::string_view::npos) {
      return Refusal(400, "createdBy must be 'me' or subject@issuer");
    } else {
      owner = *created_by;
    }
  }
  std::optional<std::string> group;
  if (const auto user_group = target.parameter("userGroup"); user_group && !user_group->empty()) {
    group = *user_group;
  }
  std::set<std::string, std::less<>> excluded;
  for (const auto& [name, value] : target.query) {
    if (name == "excludedStatus") excluded.merge(split_list(value));
  }
  return std::function<bool(const Card&)>(
      [owner, group, excluded = std::move(excluded)](const Card& card) {
        return (!owner || card.created_by == *owner) && (!group || card.user_group == *group) &&
               !excluded.contains(reconcile::to_string(card.status));
      });
}

std::vector<RenderedResource> of_type(const view::Snapshot& snapshot, std::string_view type) {
  std::vector<RenderedResource> chosen;
  for (const auto& resource : snapshot.resources) {
    if (is_of_type(resource, type)) chosen.push_back(resource);
  }
  return chosen;
}

}  // namespace

bool is_of_type(const RenderedResource& resource, std::string_view type) {
  return resource.type == type || std::find(resource.ancestry.begin(), resource.ancestry.end(),
                                            type) != resource.ancestry.end();
}

Accepted<std::string> list_deployments(const view::View& view, const http::Target& target,
                                       bool lavish, const std::string& base) {
  const auto page =
      read_page(target, lavish ? kLavishPageSize : kDefaultPageSize, kDeploymentFields);
  if (!page) return page.error();
  const auto filter = read_filter(target);
  if (!filter) return filter.error();
  std::vector<Card> cards;
  for (auto& card : view.cards()) {
    if ((*filter)(card)) cards.push_back(std::move(card));
  }
  sort_by<Card>(cards, page->sort, [](const Card& a, const Card& b, std::string_view field) {
    return compare(a, b, field);
  });
  std::vector<std::string> items;
  for (std::size_t i = page->first(cards.size()); i < page->last(cards.size()); ++i) {
    // Gone since the cards were read: one row less, and nobody is told a lie.
    const auto snapshot = view.find(cards[i].id.value);
    if (snapshot) items.push_back(view::splice(snapshot->json, base));
  }
  return render_page(base + "/deployments", *page, page->pages_of(cards.size()), cards.size(),
                     items);
}

Accepted<std::string> list_resources(const view::Snapshot& snapshot, const http::Target& target,
                                     bool lavish, const std::string& base) {
  auto page = read_page(target, lavish ? kLavishPageSize : kDefaultPageSize, kResourceFields);
  if (!page) return page.error();
  const auto type = target.parameter("type");
  const bool filtered = type && !type->empty();
  auto resources = filtered ? of_type(snapshot, *type) : snapshot.resources;
  sort_by<RenderedResource>(
      resources, page->sort,
      [](const auto& a, const auto& b, std::string_view field) { return compare(a, b, field); });
  const std::size_t total = resources.size();
  const std::size_t first = filtered ? 0 : page->first(total);
  const std::size_t last = filtered ? total : page->last(total);
  std::vector<std::string> items;
  for (std::size_t i = first; i < last; ++i) {
    items.push_back(view::splice(resources[i].json, base));
  }
  std::size_t pages = page->pages_of(total);
  if (filtered) {
    page->number = 0;
    pages = std::min<std::size_t>(pages, 1);
  }
  return render_page(base + "/deployments/" + snapshot.id.value + "/resources", *page, pages, total,
                     items);
}

Accepted<std::string> filter_resources(const view::Snapshot& snapshot, const http::Target& target,
                                       const std::string& base) {
  const auto type = target.parameter("type");
  if (!type || type->empty()) return Refusal(400, "The parameter type is missing");
  std::string array = "[";
  for (const auto& resource : of_type(snapshot, *type)) {
    if (array.size() > 1) array += ",";
    array += view::splice(resource.json, base);
  }
  return array + "]";
}

}  // namespace tutti::api
