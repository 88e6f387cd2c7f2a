#include "shrink.hpp"

#include <algorithm>
#include <set>

namespace jogak::fuzz {

namespace {

class Shrinker {
 public:
  Shrinker(Case c, Oracle& oracle, const std::function<bool(const Case&)>& fails, u32 tries)
      : best_(std::move(c)),
        oracle_(oracle),
        fails_(fails),
        tries_(tries),
        fault_(oracle.run(best_).result.fault.code) {}

  Case run() {
    number_brackets();
    while (drop_units() && tries_ > 0) {
    }
    for (Item& i : best_.items) i.unit = kNoUnit;
    number_brackets();
    u32 unit = u32(best_.items.size());
    for (Item& i : best_.items) {
      if (i.kind == Item::Kind::insn) i.unit = unit++;
    }
    while (drop_units() && tries_ > 0) {
    }
    return best_;
  }

 private:
  // A loop's two brackets go together, and alone.
  void number_brackets() {
    std::vector<u32> open;
    u32 next = 1'000'000;
    for (u32 i = 0; i < best_.items.size(); ++i) {
      Item& item = best_.items[i];
      if (item.kind == Item::Kind::loop) {
        item.unit = next++;
        open.push_back(i);
      } else if (item.kind == Item::Kind::end) {
        item.unit = best_.items[open.back()].unit;
        open.pop_back();
      }
    }
  }

  bool legal(const Case& c) {
    if (emit(c.items).insns.empty()) return false;
    if (c.harmless) {
      Case whole = c;
      whole.pool.push_back(*c.harmless);
      const Meaning m = oracle_.run(whole);
      if (m.result.fault.code != spec::Fault::none || !m.violations.empty()) return false;
    }
    const Meaning m = oracle_.run(c);
    return m.result.fault.code == fault_ && m.violations.empty();
  }

  // A case with a bus error must still reach the bad addresses: `fails` finds out.
  bool try_without(const std::set<u32>& units) {
    Case c = best_;
    std::erase_if(c.items, [&](const Item& i) { return units.contains(i.unit); });
    if (c.items.size() == best_.items.size() || !legal(c)) return false;
    --tries_;
    if (!fails_(c)) return false;
    best_ = std::move(c);
    return true;
  }

  bool drop_units() {
    bool any = false;
    std::vector<u32> units;
    for (const Item& i : best_.items) {
      if (std::ranges::find(units, i.unit) == units.end()) units.push_back(i.unit);
    }
    for (std::size_t size = std::max<std::size_t>(units.size() / 2, 1);; size /= 2) {
      for (std::size_t at = 0; at < units.size() && tries_ > 0;) {
        const std::size_t end = std::min(at + size, units.size());
        if (try_without({units.begin() + std::ptrdiff_t(at), units.begin() + std::ptrdiff_t(end)})) {
          units.erase(units.begin() + std::ptrdiff_t(at), units.begin() + std::ptrdiff_t(end));
          any = true;
        } else {
          at = end;
        }
      }
      if (size <= 1 || tries_ == 0) return any;
    }
  }

  Case best_;
  Oracle& oracle_;
  const std::function<bool(const Case&)>& fails_;
  u32 tries_;
  spec::Fault fault_;
};

}  // namespace

Case shrink(Case c, Oracle& oracle, const std::function<bool(const Case&)>& fails, u32 tries) {
  return Shrinker(std::move(c), oracle, fails, tries).run();
}

}  // namespace jogak::fuzz
