#include "replay.hpp"

#include <algorithm>
#include <deque>
#include <random>

#include "error.hpp"
#include "resolve.hpp"

namespace jogak::model {

namespace {
constexpr std::size_t kSeq = static_cast<std::size_t>(spec::Engine::seq);
}

Recorder::Recorder(const spec::Config& config, const Memories& memories, const Dram& dram,
                   const Windows& windows)
    : config_(config), memories_(memories), dram_(dram.clone()), windows_(windows) {}

void Recorder::command(u32 pc, const Command& c, const Env&) {
  events_.push_back({pc, engine_of(c), c});
}
void Recorder::wait(u32 pc, const spec::Wait& w) { events_.push_back({pc, w.eng, w}); }
void Recorder::signal(u32 pc, const spec::Signal& s) { events_.push_back({pc, s.eng, s}); }
void Recorder::lds(u32 pc, u32 address, u32 value) {
  events_.push_back({pc, spec::Engine::seq, Read{address, value}});
}

// Queues of any depth; one engine, or the sequencer, takes one step at a time. Who is favoured changes now and
// then only, so that engines get far ahead of each other: that is where missing order shows.
class Replayer {
 public:
  Replayer(const Recorder& log, u64 seed)
      : log_(log), random_(seed), memories_(log.memories_), dram_(log.dram_.clone()),
        windows_(log.windows_), env_{log.config_, windows_, memories_, counters_} {
    std::shuffle(favour_.begin(), favour_.end(), random_);
    for (BoundWindow& w : windows_) {
      if (w.size != 0) w.host = dram_.find(w.base, w.size);
    }
  }

  FinalState run() {
    while (next_ < log_.events_.size() || queued()) {
      if (random_() % 16 == 0) std::shuffle(favour_.begin(), favour_.end(), random_);
      const auto next = std::find_if(favour_.begin(), favour_.end(), [this](std::size_t e) { return can_go(e); });
      if (next == favour_.end()) stuck();
      go(*next);
    }
    return {std::move(memories_), std::move(dram_)};
  }

 private:
  using Event = Recorder::Event;

  bool queued() const {
    for (const auto& q : queues_) {
      if (!q.empty()) return true;
    }
    return false;
  }

  // What engine e would do next, null if nothing.
  const Event* head(std::size_t e) const {
    if (e != kSeq) return queues_[e].empty() ? nullptr : queues_[e].front();
    return next_ < log_.events_.size() ? &log_.events_[next_] : nullptr;
  }

  // Waits for others are only queued by the sequencer, never obeyed.
  bool can_go(std::size_t e) const {
    const Event* event = head(e);
    if (event == nullptr) return false;
    const auto* wait = std::get_if<spec::Wait>(&event->what);
    const bool own = static_cast<std::size_t>(event->engine) == e;
    return wait == nullptr || !own || counts_[wait->sem] >= wait->n;
  }

  void go(std::size_t e) {
    const Event* event = head(e);
    const auto target = static_cast<std::size_t>(event->engine);
    if (e == kSeq) ++next_;
    if (e != kSeq) queues_[e].pop_front();
    if (e == kSeq && target != kSeq) {
      queues_[target].push_back(event);
      return;
    }
    std::visit([this, event](const auto& what) { perform(*event, what); }, event->what);
  }

  void perform(const Event&, const Command& c) { execute(c, env_); }
  void perform(const Event&, const spec::Wait& w) { counts_[w.sem] -= w.n; }
  void perform(const Event&, const spec::Signal& s) { counts_[s.sem] += s.n; }
  void perform(const Event& event, const Recorder::Read& read) {
    const u32 found = memories_.vmem[read.address];
    if (found == read.value) return;
    throw Error("model", "replay: lds at pc " + std::to_string(event.pc), std::to_string(found),
                std::to_string(read.value));
  }

  [[noreturn]] void stuck() const {
    std::string where;
    for (std::size_t e = 0; e <= kSeq; ++e) {
      if (head(e) != nullptr) where += " " + std::to_string(head(e)->pc);
    }
    throw Error("model", "replay: order of engines", "every one waiting, at pc" + where,
                "one that can go on");
  }

  const Recorder& log_;
  std::mt19937_64 random_;
  Memories memories_;
  Dram dram_;
  Windows windows_;
  Counters counters_;
  Env env_;
  std::array<std::deque<const Event*>, kSeq> queues_;
  std::array<u32, spec::limit::semaphores> counts_{};
  std::array<std::size_t, kSeq + 1> favour_{0, 1, 2, 3, 4};
  std::size_t next_ = 0;
};

FinalState Recorder::replay(u64 seed) const { return Replayer(*this, seed).run(); }

}  // namespace jogak::model
