#include "generate.hpp"

#include <algorithm>
#include <utility>

#include "faults.hpp"
#include "order.hpp"

namespace jogak::fuzz {

using spec::Fault;

namespace {

constexpr u32 kAttempts = 200, kOrderRounds = 8, kHoistRounds = 3;
constexpr u64 kMostInstructions = 8000;
constexpr u32 kFaultShare = 3;  // one program in so many has a fault

// Semaphores that give no order that anything needs: they only make engines wait.
struct Noise {
  u8 sem;
  Engine from, to;
  u32 balance = 0;
};

class Builder {
 public:
  Builder(u64 seed, u32 attempt, Oracle& oracle)
      : oracle_(oracle), random_(seed * kAttempts + attempt), config_(oracle.config()) {
    case_.seed = seed;
    for (u32& arg : case_.args) arg = argument();
    std::vector<u8> semaphores;
    for (u32 i = 0; i < spec::limit::semaphores; ++i) semaphores.push_back(u8(i));
    for (std::size_t i = semaphores.size(); i > 1; --i) std::swap(semaphores[i - 1], semaphores[random_.below(i)]);
    spare_ = take(semaphores);
    for (Noise& n : noise_) {
      n = {take(semaphores), static_cast<Engine>(random_.below(4)), static_cast<Engine>(random_.below(5))};
      ignored_ |= 1u << n.sem;
    }
    semaphores_.pair.fill(-1);
    semaphores_.unused = std::move(semaphores);
  }

  std::optional<Case> build() {
    if (case_.seed % kFaultShare == 0) cell_ = kFaultCells[case_.seed / kFaultShare % std::size(kFaultCells)];
    case_.fault = cell_.fault;
    writer_.emplace(case_, random_);
    shapes_.emplace(config_, case_, *writer_, random_);
    fault_at_ = random_.below(24);
    program();
    case_.items = writer_->take();
    if (in_line() && !fault_written_) return {};
    semaphores_.next_unit = writer_->next_unit();
    if (!make_legal() || !add_outside_fault()) return {};
    return case_;
  }

 private:
  static u8 take(std::vector<u8>& from) {
    const u8 value = from.back();
    from.pop_back();
    return value;
  }
  u32 argument() {
    switch (random_.below(5)) {
      case 0:
        return random_.word();
      case 1:
        return 1u << random_.below(20);
      case 2:
        return config_.cols * random_.below(64);
      default:
        return 1 + random_.below(8);
    }
  }
  // Faults that are lines of the program.
  bool in_line() const {
    return case_.fault != Fault::none && case_.fault != Fault::watchdog && case_.fault != Fault::bus;
  }

  bool endless() const { return cell_.fault == Fault::loop && cell_.op == spec::Op::halt; }

  void program() {
    Writer& w = *writer_;
    for (Noise& n : noise_) {
      if (!random_.one_in(2)) continue;
      n.balance = 1 + random_.below(200);
      w.line(spec::Signal{Engine::seq, n.sem, u8(n.balance)});
    }
    u32 budget = 16 + random_.below(40);
    while (budget > 0) statement(budget, 1);
    w.new_unit();
    if (endless()) {
      fault_written_ = true;
      return;
    }
    w.line(spec::Halt{});
    if (random_.one_in(4)) w.line(spec::Insn{random_.next(), random_.next()});
  }

  void statement(u32& budget, u32 times) {
    Writer& w = *writer_;
    w.new_unit();
    if (w.depth() < spec::limit::loop_depth && random_.one_in(w.depth() == 0 ? 5 : 3)) {
      const u32 rounds = random_.one_in(12) ? 0 : 1 + random_.below(w.depth() == 0 ? 5 : 3);
      if (times * std::max(rounds, 1u) <= 24) {
        w.open_loop(rounds);
        const u32 statements = 1 + random_.below(4);
        for (u32 i = 0; i < statements && budget > 0; ++i) statement(budget, times * std::max(rounds, 1u));
        w.close_loop();
        return;
      }
    }
    budget -= std::min(budget, times);
    if (in_line() && !endless() && !fault_written_ && unit_count_++ >= fault_at_) {
      fault_written_ =
          case_.fault == Fault::index ? wrong_gather() : write_fault(cell_, *shapes_, w, random_, config_, spare_);
      if (fault_written_) return;
    }
    command();
  }

  template <class X>
  void put(std::optional<X> x) {
    if (!x) return;
    if (random_.one_in(25)) shapes_->empty(*x);
    shapes_->write(*x);
  }

  void command() {
    switch (random_.below(19)) {
      case 18:
        return crowd();
      case 0:
      case 1:
      case 2:
        return put(shapes_->load());
      case 3:
      case 4:
      case 5:
        return put(shapes_->store());
      case 6:
      case 7:
      case 8:
        return put(shapes_->mm());
      case 9:
      case 10:
      case 11:
      case 12:
        return put(shapes_->vec());
      case 13:
      case 14:
        return put(shapes_->qnt());
      case 15: {
        const auto both = shapes_->list_and_gather();
        if (!both) return;
        shapes_->write(both->first);
        shapes_->write(both->second);
        return;
      }
      default:
        return noise();
    }
  }

  // Products close together that add to the same rows in different orders.
  void crowd() {
    const Span rows = shapes_->few_rows();
    for (u32 left = 3 + random_.below(4); left > 0; --left) {
      const auto x = shapes_->mm(rows);
      if (x) shapes_->write(*x);
    }
  }

  // Outside loops the balance may be carried on, inside every round gives what it takes.
  void noise() {
    Noise& n = noise_[random_.below(noise_.size())];
    const u8 amount = u8(1 + random_.below(random_.one_in(4) ? 50 : 3));
    const bool loop = writer_->depth() > 0;
    const bool give = loop || n.balance < amount || (n.balance < 150 && random_.one_in(2));
    if (give && n.balance + amount > 250) return;
    if (give) writer_->line(spec::Signal{n.from, n.sem, amount});
    if (!give || loop) writer_->line(spec::Wait{n.to, n.sem, amount});
    if (!loop) n.balance = give ? n.balance + amount : n.balance - amount;
  }

  // A gather through the list kept for it; one of its numbers is too large.
  bool wrong_gather() {
    auto x = shapes_->load();
    if (!x || !x->gather || x->ds1.value == 0) return false;
    // A product that is small again beyond 32 bits.
    const bool wraps = random_.one_in(3);
    if (wraps) x->ds1 = 1u << (4 + random_.below(6));
    const u64 size = case_.windows[x->win].size, n2 = x->n2.value;
    const u64 used = u64(x->da.value) + (n2 - 1) * x->ds2.value + x->len.value;
    if (x->da.advances() || x->n1.value > kWrongList || used > size) return false;
    const u64 first_bad = (size - used) / x->ds1.value + 1;
    const u32 bad = wraps ? u32((u64(1) << 32) / x->ds1.value) + random_.below(3)
                    : random_.one_in(3) || first_bad > 0xFFFFFFF0 ? 0xFFFFFFFF - random_.below(1000)
                                                                  : u32(first_bad);
    if (u64(bad) * x->ds1.value + used <= size) return false;
    for (u32 i = 0; i < kWrongList; ++i) case_.pool.push_back({kIndices + i, random_.below(3)});
    const u32 at = kIndices + random_.below(x->n1.value);
    case_.harmless = Patch{at, random_.below(3)};
    case_.pool.push_back({at, bad});
    x->idx = kIndices;
    shapes_->write(*x);
    return true;
  }

  // The case whose whole program runs in the model.
  Case whole() const {
    Case c = case_;
    if (c.harmless) c.pool.push_back(*c.harmless);
    return c;
  }

  bool right_opcode(const Meaning& m) const {
    if (m.result.fault.code == Fault::none || cell_.op == spec::Op::halt) return true;
    return spec::opcode_of(m.code.insns[m.result.fault.pc]) == u8(cell_.op);
  }

  bool make_legal() {
    const Fault expected = in_line() && case_.fault != Fault::index ? case_.fault : Fault::none;
    for (u32 round = 0; round < kOrderRounds; ++round) {
      Case c = whole();
      Order order(config_, ignored_);
      const model::Env env = oracle_.env(c);
      if (emit(c.items).insns.size() > std::min(config_.imem_words, kCodeBytes / 16)) return false;
      const Meaning meaning = oracle_.run(c, [&](const model::Step& s, u32 item) { order.step(s, item, env); });
      if (meaning.result.fault.code != expected || !right_opcode(meaning)) return false;
      if (meaning.result.counters[spec::Counter::instructions] > kMostInstructions) return false;
      if (order.conflicts().empty()) {
        executed_ = meaning.result.counters[spec::Counter::instructions];
        return meaning.violations.empty();
      }
      insert_order(case_.items, order.conflicts(), semaphores_, random_, round < kHoistRounds);
    }
    return false;
  }

  bool add_outside_fault() {
    if (case_.fault == Fault::index) return oracle_.run(case_).result.fault.code == Fault::index;
    if (case_.fault == Fault::watchdog) {
      if (executed_ < 2) return false;
      case_.watchdog = 1 + random_.below(executed_ - 1);
      return true;
    }
    if (case_.fault != Fault::bus) return true;
    if (cell_.op == spec::Op::halt) {
      const u64 at = kDramBase + random_.below(emit(case_.items).insns.size() * sizeof(spec::Insn));
      case_.error = Range{at / config_.port_bytes * config_.port_bytes, at + 1};
      return true;
    }
    Order order(config_, ignored_);
    order.keep_moments();
    const model::Env env = oracle_.env(case_);
    oracle_.run(case_, [&](const model::Step& s, u32 item) { order.step(s, item, env); });
    std::vector<model::Touch> dram;
    for (const Moment& m : order.moments()) {
      if (m.engine != std::size_t(cell_.op == spec::Op::load ? Engine::ld : Engine::st)) continue;
      for (const model::Touch& t : m.touches) {
        if (t.store == model::Store::dram) dram.push_back(t);
      }
    }
    if (dram.empty()) return false;
    const model::Touch t = dram[random_.below(dram.size())];
    const u64 begin = (t.first + random_.below(t.last - t.first + 1)) / config_.port_bytes * config_.port_bytes;
    case_.error = Range{begin, begin + config_.port_bytes * (1 + random_.below(3))};
    return true;
  }

  Oracle& oracle_;
  Random random_;
  const spec::Config& config_;
  Case case_;
  FaultCell cell_{Fault::none};
  std::optional<Writer> writer_;
  std::optional<Shapes> shapes_;
  std::array<Noise, 3> noise_{};
  Semaphores semaphores_{};
  u32 ignored_ = 0, fault_at_ = 0, unit_count_ = 0;
  u64 executed_ = 0;
  u8 spare_ = 0;
  bool fault_written_ = false;
};

}  // namespace

Case generate(u64 seed, Oracle& oracle) {
  for (u32 attempt = 0; attempt < kAttempts; ++attempt) {
    try {
      std::optional<Case> c = Builder(seed, attempt, oracle).build();
      if (c) return *c;
    } catch (const TooLarge&) {
    }
  }
  throw Error("fuzz", "program of seed " + std::to_string(seed), "none that is legal",
              "one within " + std::to_string(kAttempts) + " attempts");
}

}  // namespace jogak::fuzz
