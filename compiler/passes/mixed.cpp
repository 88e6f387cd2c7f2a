#include "mixed.hpp"

#include <algorithm>
#include <map>

#include "error.hpp"

namespace jogak::passes {
namespace {

const Candidate& at(const Choice& c, std::size_t i) { return c.candidates[i]; }

void total(const std::vector<Choice>& choices, Mixture& m) {
  m.bytes = 0, m.error = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) m.bytes += at(choices[i], m.picked[i]).bytes, m.error += at(choices[i], m.picked[i]).error;
}

// The change of one choice that takes away most error per byte within `room` bytes; false if there is none.
bool upgrade(const std::vector<Choice>& choices, Mixture& m, std::uint64_t room) {
  double best = 0;
  std::size_t where = 0, to = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const Candidate& now = at(choices[i], m.picked[i]);
    for (std::size_t j = 0; j < choices[i].candidates.size(); ++j) {
      const Candidate& next = at(choices[i], j);
      if (next.error >= now.error || (next.bytes > now.bytes && next.bytes - now.bytes > room)) continue;
      const double more = next.bytes > now.bytes ? static_cast<double>(next.bytes - now.bytes) : 1e-3;  // smaller and better comes first
      if (const double gain = (now.error - next.error) / more; gain > best) best = gain, where = i, to = j;
    }
  }
  if (best == 0) return false;
  m.picked[where] = to;
  total(choices, m);
  return true;
}

// The change that saves most bytes and keeps the error within `most`.
bool downgrade(const std::vector<Choice>& choices, Mixture& m, double most) {
  std::uint64_t best = 0;
  std::size_t where = 0, to = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const Candidate& now = at(choices[i], m.picked[i]);
    for (std::size_t j = 0; j < choices[i].candidates.size(); ++j) {
      const Candidate& next = at(choices[i], j);
      if (next.bytes < now.bytes && now.bytes - next.bytes > best && m.error - now.error + next.error <= most) best = now.bytes - next.bytes, where = i, to = j;
    }
  }
  if (best == 0) return false;
  m.picked[where] = to;
  total(choices, m);
  return true;
}

}  // namespace

Mixture choose_formats(const std::vector<Choice>& choices, const Budget& budget) {
  if ((budget.bytes > 0) == (budget.error > 0)) throw Error("mixed formats", "budget", budget.bytes > 0 ? "bytes and error" : "none", "one of bytes and error");
  Mixture m;
  for (const Choice& c : choices) {
    if (c.candidates.empty()) throw Error("mixed formats", "formats of " + c.name, "none", "one at least");
    std::size_t least = 0;
    for (std::size_t j = 1; j < c.candidates.size(); ++j)
      if (at(c, j).bytes < at(c, least).bytes) least = j;
    m.picked.push_back(least);
  }
  total(choices, m);
  if (budget.bytes > 0) {
    if (m.bytes > budget.bytes) throw Error("mixed formats", "budget", std::to_string(budget.bytes) + " bytes", "at least " + std::to_string(m.bytes) + " (all in the smallest format)");
    while (upgrade(choices, m, budget.bytes - m.bytes)) continue;
    return m;
  }
  while (m.error > budget.error && upgrade(choices, m, ~std::uint64_t(0))) continue;
  if (m.error > budget.error) throw Error("mixed formats", "budget of error", std::to_string(budget.error), "at least " + std::to_string(m.error) + " (all in the best format)");
  while (downgrade(choices, m, budget.error)) continue;
  return m;
}

std::vector<Choice> merge_layers(const std::vector<Choice>& choices) {
  std::vector<Choice> merged;
  for (const Choice& c : choices) {
    const auto same = std::find_if(merged.begin(), merged.end(), [&](const Choice& m) {
      return m.role == c.role && c.layer >= 0 && m.candidates.size() == c.candidates.size() &&
             std::equal(m.candidates.begin(), m.candidates.end(), c.candidates.begin(), [](const Candidate& a, const Candidate& b) { return a.format == b.format; });
    });
    if (same == merged.end()) {
      merged.push_back(c);
      if (c.layer >= 0) merged.back().name = "every " + c.role;
      continue;
    }
    same->matrices.insert(same->matrices.end(), c.matrices.begin(), c.matrices.end());
    for (std::size_t j = 0; j < c.candidates.size(); ++j) same->candidates[j].bytes += c.candidates[j].bytes, same->candidates[j].error += c.candidates[j].error;
  }
  return merged;
}

int bodies(const std::vector<Choice>& choices, const Mixture& m) {
  std::map<int, std::vector<ir::Format>> layers;  // formats of each, in the order of the choices
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (choices[i].layer >= 0) layers[choices[i].layer].push_back(at(choices[i], m.picked[i]).format);
  int runs = 0;
  const std::vector<ir::Format>*here = nullptr, *behind = nullptr;
  for (auto it = layers.begin(); it != layers.end(); ++it) {
    const auto next = std::next(it);
    const std::vector<ir::Format>* after = next == layers.end() ? nullptr : &next->second;
    const bool same = here && *here == it->second && behind && after && *behind == *after;
    runs += !same;
    here = &it->second, behind = after;
  }
  return runs;
}

std::vector<std::string> format_rules(const std::vector<Choice>& choices, const Mixture& m) {
  std::vector<std::string> rules;
  for (std::size_t i = 0; i < choices.size(); ++i)
    for (const std::string& name : choices[i].matrices) rules.push_back(name + "=" + ir::name(at(choices[i], m.picked[i]).format));
  return rules;
}

std::uint64_t format_bytes(ir::Format format, std::int64_t n, std::int64_t k) {
  const auto blocks = static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>((k + 31) / 32);
  switch (format) {
    case ir::Format::int8: return blocks * 34;
    case ir::Format::int8c: return blocks * 32 + static_cast<std::uint64_t>(n) * 4;
    case ir::Format::mxint8: return blocks * 33;
    case ir::Format::mxfp4: break;
  }
  return blocks * 17;
}

}  // namespace jogak::passes
