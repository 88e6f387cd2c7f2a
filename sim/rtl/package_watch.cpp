// What keeps a package from ending, in words.
#include <algorithm>
#include <string>

#include "error.hpp"
#include "package.hpp"

namespace jogak::rtl {

namespace {

constexpr const char* kUsers[] = {"load engine", "store engine", "matrix engine", "vector engine", "sequencer"};
constexpr const char* kLinks[] = {"east", "west", "north", "south"};

// What grows while a die gets on.
std::uint64_t steps(PackageSimulator& package) {
  using enum spec::Counter;
  std::uint64_t sum = 0;
  for (unsigned d = 0; d < package.dies(); ++d) {
    if (!package.mine(d)) continue;
    const auto counters = package.counters(d);
    for (const spec::Counter c : {instructions, mx_busy, ve_busy, ld_beats, st_beats}) sum += counters.at(static_cast<std::size_t>(c));
  }
  return sum;
}

void add(std::string& text, const std::string& what) {
  if (!what.empty()) text += (text.empty() ? "" : "; ") + what;
}

// Of this process's dies.
std::string waits(PackageSimulator& package) {
  std::string text;
  const auto waiting = package.waiting();
  for (unsigned d = 0; d < package.dies(); ++d) {
    if (!package.mine(d) || package.die(d).irq()) continue;
    if (std::ranges::none_of(waiting, [d](const Waiting& w) { return w.die == d; })) add(text, "die " + std::to_string(d) + " has not ended and waits for no semaphore");
    for (const Waiting& w : waiting)
      if (w.die == d)
        add(text, "die " + std::to_string(d) + ": its " + kUsers[w.user] + " waits for " + std::to_string(w.amount) + " of semaphore " + std::to_string(w.semaphore) +
            (w.semaphore >= spec::limit::semaphores ? ", which another die signals" : ""));
  }
  return text;
}
std::string links_down(PackageSimulator& package) {
  std::string text;
  for (unsigned d = 0; d < package.dies(); ++d)
    for (unsigned l = 0; l < 4; ++l)
      if (package.mine(d) && !package.link_up(d, l)) add(text, "link " + std::string(kLinks[l]) + " of die " + std::to_string(d) + " is down");
  return text;
}

}  // namespace

std::string what_waits(PackageSimulator& package) {
  std::string text = package.together(waits(package));
  add(text, package.together(links_down(package)));
  return text;
}

bool Patience::over(PackageSimulator& package) {
  auto waits = package.waiting();
  const std::uint64_t now = steps(package);
  const bool moved = now != steps_ || waits != waits_;
  steps_ = now, waits_ = std::move(waits);
  if (package.sum(moved) != 0) since_ = package.cycles();
  return package.cycles() - since_ >= cycles_;
}

void run_to_end(PackageSimulator& package, std::uint64_t limit, std::uint64_t patience) {
  Patience left(package, patience);
  for (const std::uint64_t begin = package.cycles(); !package.run_until_done(std::min(left.look(), begin + limit - package.cycles()));) {
    const bool stuck = left.over(package);
    if (!stuck && package.cycles() - begin < limit) continue;
    throw Error("package", "run", what_waits(package) + (stuck ? ", unchanged for " + std::to_string(patience) : ", after " + std::to_string(limit)) + " cycles", "every die to end");
  }
}

}  // namespace jogak::rtl
