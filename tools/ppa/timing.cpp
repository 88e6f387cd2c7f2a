#include "timing.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "error.hpp"

namespace jogak::ppa {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

// What is known of a net: time and slew of both edges, and where they came from.
struct Arrival {
  std::array<double, 2> at{kNever, kNever}, slew{0, 0};  // [0] fall, [1] rise
  std::array<int, 2> from{-1, -1};                       // net before the driving cell
  std::array<signed char, 2> from_edge{0, 0};
  int driver = -1;
};

class Analyser {
 public:
  Analyser(const Netlist& n, const TimingOptions& o) : n_(n), o_(o), nets_(n.nets.size()), load_(n.nets.size(), 0), sinks_(n.nets.size()) {}

  Timing run() {
    connect();
    propagate();
    Timing out;
    out.by_block.resize(n_.blocks.size());
    out.inside.resize(n_.blocks.size());
    for (std::size_t i = 0; i < n_.instances.size(); ++i) ends(n_.instances[i], out);
    for (const Port& p : n_.outputs) end(p.net, {0, 0}, "port " + p.name, 0, out);
    for (const Path& p : out.by_block)
      if (p.ns > out.worst.ns) out.worst = p;
    out.load = std::move(load_);
    for (const Arrival& a : nets_) out.slew.push_back(std::max(a.slew[0], a.slew[1]));
    return out;
  }

 private:
  static bool passes(const Instance& i) { return i.cell->kind == Cell::Kind::gate; }

  void connect() {
    for (std::size_t i = 0; i < n_.instances.size(); ++i) {
      const Instance& instance = n_.instances[i];
      for (std::size_t p = 0; p < instance.nets.size(); ++p) {
        const int net = instance.nets[p];
        if (net < 0) continue;
        const Pin& pin = instance.cell->pins[p];
        if (pin.output) {
          nets_[static_cast<std::size_t>(net)].driver = static_cast<int>(i);
        } else {
          load_[static_cast<std::size_t>(net)] += pin.capacitance + o_.wire;
          if (passes(instance)) sinks_[static_cast<std::size_t>(net)].push_back(static_cast<int>(i));
        }
      }
    }
    for (const Port& p : n_.outputs) load_[static_cast<std::size_t>(p.net)] += o_.output_load;
  }

  // Nets that start paths: constants (never), input ports, outputs of registers and memories.
  void start(int net, double at, double slew, int edge) {
    Arrival& a = nets_[static_cast<std::size_t>(net)];
    if (at <= a.at[static_cast<std::size_t>(edge)]) return;
    a.at[static_cast<std::size_t>(edge)] = at;
    a.slew[static_cast<std::size_t>(edge)] = slew;
  }
  void launch(const Instance& i) {
    for (std::size_t p = 0; p < i.nets.size(); ++p) {
      if (i.nets[p] < 0 || !i.cell->pins[p].output || i.cell->kind == Cell::Kind::clock_gate) continue;
      const double load = load_[static_cast<std::size_t>(i.nets[p])];
      for (const Arc& arc : i.cell->pins[p].arcs) {
        if (!arc.edge) continue;
        if (arc.rise) start(i.nets[p], arc.rise->at(o_.clock_slew, load), arc.rise_slew ? arc.rise_slew->at(o_.clock_slew, load) : o_.input_slew, 1);
        if (arc.fall) start(i.nets[p], arc.fall->at(o_.clock_slew, load), arc.fall_slew ? arc.fall_slew->at(o_.clock_slew, load) : o_.input_slew, 0);
      }
    }
  }

  void propagate() {
    std::vector<int> waits(n_.instances.size(), 0), ready;
    for (std::size_t net = 0; net < nets_.size(); ++net) {
      const int d = nets_[net].driver;
      if (d >= 0 && passes(n_.instances[static_cast<std::size_t>(d)]))
        for (const int s : sinks_[net]) ++waits[static_cast<std::size_t>(s)];
    }
    for (const Port& p : n_.inputs)
      for (const int edge : {0, 1}) start(p.net, 0, o_.input_slew, edge);
    std::size_t gates = 0, done = 0;
    for (std::size_t i = 0; i < n_.instances.size(); ++i) {
      const bool gate = passes(n_.instances[i]);
      gates += gate;
      if (!gate) launch(n_.instances[i]);
      else if (waits[i] == 0) ready.push_back(static_cast<int>(i));
    }
    while (!ready.empty()) {
      const int i = ready.back();
      ready.pop_back();
      ++done;
      evaluate(n_.instances[static_cast<std::size_t>(i)]);
      for (std::size_t p = 0; p < n_.instances[static_cast<std::size_t>(i)].nets.size(); ++p) {
        const int net = n_.instances[static_cast<std::size_t>(i)].nets[p];
        if (net < 0 || !n_.instances[static_cast<std::size_t>(i)].cell->pins[p].output) continue;
        for (const int s : sinks_[static_cast<std::size_t>(net)])
          if (--waits[static_cast<std::size_t>(s)] == 0) ready.push_back(s);
      }
    }
    if (done != gates) throw Error("timing", "combinational loop", std::to_string(gates - done) + " cells in or behind it", "none");
  }

  void evaluate(const Instance& i) {
    for (std::size_t p = 0; p < i.nets.size(); ++p) {
      if (i.nets[p] < 0 || !i.cell->pins[p].output) continue;
      for (const Arc& arc : i.cell->pins[p].arcs) {
        const int from = i.nets[static_cast<std::size_t>(arc.from)];
        if (from < 0) continue;
        for (const std::size_t edge : {0u, 1u}) {
          if (arc.sense != Sense::negative) step(from, edge, i.nets[p], edge, arc);
          if (arc.sense != Sense::positive) step(from, 1 - edge, i.nets[p], edge, arc);
        }
      }
    }
  }
  void step(int from, std::size_t from_edge, int to, std::size_t edge, const Arc& arc) {
    const Arrival& before = nets_[static_cast<std::size_t>(from)];
    const auto& delay = edge == 1 ? arc.rise : arc.fall;
    if (before.at[from_edge] == kNever || !delay) return;
    const auto& slew = edge == 1 ? arc.rise_slew : arc.fall_slew;
    Arrival& a = nets_[static_cast<std::size_t>(to)];
    const double load = load_[static_cast<std::size_t>(to)], at = before.at[from_edge] + delay->at(before.slew[from_edge], load);
    if (slew) a.slew[edge] = std::max(a.slew[edge], slew->at(before.slew[from_edge], load));
    if (at <= a.at[edge]) return;
    a.at[edge] = at;
    a.from[edge] = from;
    a.from_edge[edge] = static_cast<signed char>(from_edge);
  }

  void ends(const Instance& i, Timing& out) {
    if (passes(i)) return;
    for (std::size_t p = 0; p < i.nets.size(); ++p) {
      const Pin& pin = i.cell->pins[p];
      if (i.nets[p] < 0 || pin.output || pin.setups.empty()) continue;
      const Arrival& a = nets_[static_cast<std::size_t>(i.nets[p])];
      std::array<double, 2> setup{0, 0};
      for (const Setup& s : pin.setups) {
        setup[0] = std::max(setup[0], s.fall.at(a.slew[0], o_.clock_slew));
        setup[1] = std::max(setup[1], s.rise.at(a.slew[1], o_.clock_slew));
      }
      end(i.nets[p], setup, name_of(i), i.block, out);
    }
  }
  std::string name_of(const Instance& i) const {
    for (std::size_t p = 0; p < i.nets.size(); ++p)
      if (i.nets[p] >= 0 && i.cell->pins[p].output) return n_.nets[static_cast<std::size_t>(i.nets[p])];
    return i.cell->name;
  }

  void end(int net, std::array<double, 2> setup, const std::string& to, int block, Timing& out) {
    const Arrival& a = nets_[static_cast<std::size_t>(net)];
    const std::size_t edge = a.at[1] + setup[1] > a.at[0] + setup[0] ? 1 : 0;
    const double ns = a.at[edge] + setup[edge];
    Path& slowest = out.by_block[static_cast<std::size_t>(block)];
    Path& inside = out.inside[static_cast<std::size_t>(block)];
    if (ns <= slowest.ns && ns <= inside.ns) return;
    Path path = trace(net, edge);
    path.ns = ns, path.to = to, path.to_block = block;
    if (path.from_block == block && ns > inside.ns) inside = path;
    if (ns > slowest.ns) slowest = std::move(path);
  }
  Path trace(int net, std::size_t edge) const {
    Path path;
    for (;;) {
      const Arrival& a = nets_[static_cast<std::size_t>(net)];
      const Instance* driver = a.driver < 0 ? nullptr : &n_.instances[static_cast<std::size_t>(a.driver)];
      path.steps.push_back({driver == nullptr ? "port" : driver->cell->name, n_.nets[static_cast<std::size_t>(net)], a.at[edge]});
      if (a.from[edge] < 0) {
        path.from = n_.nets[static_cast<std::size_t>(net)];
        path.from_block = driver == nullptr ? -1 : driver->block;
        break;
      }
      net = a.from[edge];
      edge = static_cast<std::size_t>(a.from_edge[edge]);
    }
    std::reverse(path.steps.begin(), path.steps.end());
    return path;
  }

  const Netlist& n_;
  TimingOptions o_;
  std::vector<Arrival> nets_;
  std::vector<double> load_;
  std::vector<std::vector<int>> sinks_;
};

}  // namespace

Timing analyse(const Netlist& netlist, const TimingOptions& options) { return Analyser(netlist, options).run(); }

}  // namespace jogak::ppa
