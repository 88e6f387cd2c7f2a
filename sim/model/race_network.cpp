#include "race_network.hpp"

#include "race.hpp"
#include "remote.hpp"

namespace jogak::model {

RaceNetwork::RaceNetwork(u32 columns, u32 rows) : columns_(columns), rows_(rows), ways_(std::size_t(dies()) * dies()), checkers_(dies()) {}

void RaceNetwork::begin() {
  std::ranges::fill(ways_, Way{Clock(actors()), {}});
}

void RaceNetwork::send(u32 from, const Clock& engine, const Access& access, const Touch& touch) {
  const RemotePlace place = remote_place(touch.first);
  if (place.x >= columns_ || place.y >= rows_) return;  // a fault, as are the other places that are nowhere
  const u32 to = place.x + place.y * columns_;
  const std::size_t index = std::size_t(from) * dies() + to, way = dies() * kEngines + index;
  Way& w = ways_[index];
  join(w.clock, engine);
  w.last = {++w.clock[way], access.pc, access.op};
  if (place.signals()) return checkers_[to]->signalled(way, w.last, place.semaphore(), place.amount());
  if (!reached(place.region)) return;
  const auto store = static_cast<Store>(place.region);
  checkers_[to]->arrives(way, w.last, {store, place.offset, place.offset + (touch.last - touch.first), true});
}

void RaceNetwork::end() {
  for (u32 to = 0; to < dies(); ++to) {
    const Clock known = checkers_[to]->ended();
    for (u32 from = 0; from < dies(); ++from) {
      const std::size_t index = std::size_t(from) * dies() + to;
      const Access& last = ways_[index].last;
      if (last.time > known[dies() * kEngines + index])
        checkers_[to]->report("die " + std::to_string(to) + " may halt before what die " + std::to_string(from) + " sends it at pc " + std::to_string(last.pc) + " has come");
    }
  }
}

}  // namespace jogak::model
