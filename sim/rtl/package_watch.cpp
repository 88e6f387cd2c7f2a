// What keeps a package from ending, in words.
#include <algorithm>
#include <string>

#include "error.hpp"
#include "package.hpp"

namespace jogak::rtl {

namespace {

constexpr const char* kUsers[] = {"load engine", "store engine", "matrix engine", "vector engine", "sequencer"};
constexpr const char* kLinks[] = {"east", "west", "north", "south"};
constexpr std::uint64_t kLook = 1000;  // cycles

std::string told(PackageSimulator& package) {
  std::string text;
  const auto add = [&](const std::string& what) { text += (text.empty() ? "" : "; ") + what; };
  const auto waiting = package.waiting();
  for (unsigned d = 0; d < package.dies(); ++d) {
    if (!package.mine(d) || package.die(d).irq()) continue;
    if (std::ranges::none_of(waiting, [d](const Waiting& w) { return w.die == d; })) add("die " + std::to_string(d) + " has not ended and waits for no semaphore");
    for (const Waiting& w : waiting)
      if (w.die == d)
        add("die " + std::to_string(d) + ": its " + kUsers[w.user] + " waits for " + std::to_string(w.amount) + " of semaphore " + std::to_string(w.semaphore) +
            (w.semaphore >= spec::limit::semaphores ? ", which another die signals" : ""));
  }
  for (unsigned d = 0; d < package.dies(); ++d)
    for (unsigned l = 0; l < 4; ++l)
      if (package.mine(d) && !package.link_up(d, l)) add("link " + std::string(kLinks[l]) + " of die " + std::to_string(d) + " is down");
  return text;
}

}  // namespace

void run_to_end(PackageSimulator& package, std::uint64_t limit, std::uint64_t patience) {
  const std::uint64_t begin = package.cycles();
  std::uint64_t since = begin;
  auto before = package.waiting();
  while (!package.run_until_done(std::min(kLook, begin + limit - package.cycles()))) {
    auto now = package.waiting();
    if (now.empty() || now != before) since = package.cycles(), before = std::move(now);
    const bool stuck = package.cycles() - since >= patience;
    if (!stuck && package.cycles() - begin < limit) continue;
    throw Error("package", "run", told(package) + (stuck ? ", unchanged for " + std::to_string(patience) : ", after " + std::to_string(limit)) + " cycles", "every die to end");
  }
}

}  // namespace jogak::rtl
