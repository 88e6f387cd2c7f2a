#include "switching.hpp"

#include <algorithm>

#include "error.hpp"

namespace jogak::ppa {
namespace {

// Recursive descent: or < and < xor < not; juxtaposition is and.
class Expression {
 public:
  Expression(const std::string& text, const Cell& cell) : text_(text), cell_(cell) {}

  Function parse() {
    collect();
    for (std::size_t row = 0; row < (std::size_t{1} << f_.pins.size()); ++row) {
      at_ = 0;
      row_ = row;
      if (either()) f_.rows |= std::uint64_t{1} << row;
      skip();
      if (at_ != text_.size()) fail(text_.substr(at_));
    }
    return f_;
  }

 private:
  [[noreturn]] void fail(const std::string& found) const { throw Error("library", "function of " + cell_.name, found, "an expression over its pins, six at most"); }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(const char* any) {
    skip();
    if (at_ >= text_.size() || std::string(any).find(text_[at_]) == std::string::npos) return false;
    ++at_;
    return true;
  }
  static bool letter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '[' || c == ']'; }
  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && letter(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  void collect() {
    for (at_ = 0; at_ < text_.size();) {
      if (!letter(text_[at_])) {
        ++at_;
        continue;
      }
      const std::string name = word();
      if (name == "0" || name == "1") continue;
      const int pin = cell_.pin(name);
      if (pin < 0) fail(name);
      if (std::find(f_.pins.begin(), f_.pins.end(), pin) == f_.pins.end()) f_.pins.push_back(pin);
    }
    if (f_.pins.size() > 6) fail(std::to_string(f_.pins.size()) + " pins");
  }
  bool either() {
    bool v = both();
    while (take("|+")) v = both() || v;
    return v;
  }
  bool both() {
    bool v = odd();
    for (;;) {
      skip();
      if (at_ < text_.size() && (text_[at_] == '&' || text_[at_] == '*')) ++at_;
      else if (at_ >= text_.size() || !(letter(text_[at_]) || text_[at_] == '(' || text_[at_] == '!')) return v;
      v = odd() && v;
    }
  }
  bool odd() {
    bool v = factor();
    while (take("^")) v = factor() != v;
    return v;
  }
  bool factor() {
    if (take("!")) return !factor();
    bool v = false;
    if (take("(")) {
      v = either();
      if (!take(")")) fail("no ')'");
    } else {
      skip();
      const std::string name = word();
      if (name.empty()) fail(text_.substr(at_));
      if (name == "0" || name == "1") v = name == "1";
      else v = (row_ >> (std::find(f_.pins.begin(), f_.pins.end(), cell_.pin(name)) - f_.pins.begin())) & 1;
    }
    while (take("'")) v = !v;
    return v;
  }

  const std::string& text_;
  const Cell& cell_;
  Function f_;
  std::size_t at_ = 0, row_ = 0;
};

double mean(const std::vector<Internal>& tables, bool rise, double slew, double load) {
  double sum = 0;
  int n = 0;
  for (const Internal& i : tables)
    if (const auto& t = rise ? i.rise : i.fall; t) sum += t->at(slew, load), ++n;
  return n > 0 ? sum / n * 1e-3 : 0;  // fJ to pJ
}

}  // namespace

Function parse_function(const std::string& text, const Cell& cell) { return Expression(text, cell).parse(); }

GateSimulator::GateSimulator(const Netlist& netlist, const Timing& timing, double volts) : n_(netlist), t_(timing), volts_(volts), value_(netlist.nets.size(), 0) {
  value_[Netlist::kHigh] = 1;
  for (const Port& p : n_.inputs) ports_[p.name] = p.net;
  for (const Port& p : n_.outputs) ports_[p.name] = p.net;
  build();
}

// Energy inside the cell when the output changes; which input did it is not known, so the mean over them.
double GateSimulator::output_pj(const Instance& i, std::size_t pin, bool rise) const {
  const Pin& p = i.cell->pins[pin];
  double slew = 0.03;
  for (std::size_t q = 0; q < i.nets.size(); ++q)
    if (!i.cell->pins[q].output && i.nets[q] >= 0) slew = std::max(slew, t_.slew[static_cast<std::size_t>(i.nets[q])] / 2);
  return mean(p.internal, rise, slew, t_.load[static_cast<std::size_t>(i.nets[pin])]);
}

// Of one rising and one falling change of an input.
double GateSimulator::input_pj(const Instance& i, std::size_t pin) const {
  const Pin& p = i.cell->pins[pin];
  return mean(p.internal, true, 0.03, 0) + mean(p.internal, false, 0.03, 0);
}

void GateSimulator::build() {
  std::vector<int> gate_of(n_.nets.size(), -1);
  for (const Instance& i : n_.instances) {
    leakage_nw_ += i.cell->leakage;
    if (i.cell->kind != Cell::Kind::clock_gate) continue;
    ClockGate g;
    for (std::size_t p = 0; p < i.nets.size(); ++p) {
      const Pin& pin = i.cell->pins[p];
      if (i.nets[p] < 0) continue;
      if (pin.output) {
        gate_of[static_cast<std::size_t>(i.nets[p])] = static_cast<int>(clock_gates_.size());
        g.open_pj = output_pj(i, p, true) + output_pj(i, p, false) + t_.load[static_cast<std::size_t>(i.nets[p])] * volts_ * volts_ * 1e-3;
      } else if (pin.setups.empty()) {
        g.clock_pj += input_pj(i, p) + pin.capacitance * volts_ * volts_ * 1e-3;
      } else if (g.enable < 0 || pin.name == "E" || pin.name == "ENA") {
        g.enable = i.nets[p];
      }
    }
    clock_gates_.push_back(g);
  }
  std::vector<Gate> gates;
  for (const Instance& i : n_.instances) {
    const Cell& c = *i.cell;
    if (c.kind == Cell::Kind::gate) {
      for (std::size_t p = 0; p < i.nets.size(); ++p) {
        if (i.nets[p] < 0 || !c.pins[p].output) continue;
        const Function f = parse_function(c.pins[p].function, c);
        Gate g{.output = i.nets[p], .inputs = {}, .rows = f.rows};
        for (const int q : f.pins) g.inputs.push_back(i.nets[static_cast<std::size_t>(q)]);
        for (const bool rise : {false, true}) g.pj[rise] = output_pj(i, p, rise);
        gates.push_back(std::move(g));
      }
    } else if (c.kind == Cell::Kind::flop) {
      Flop f;
      for (std::size_t p = 0; p < i.nets.size(); ++p) {
        const Pin& pin = c.pins[p];
        if (i.nets[p] < 0) continue;
        if (pin.output) {
          const bool inverted = pin.function.find('N') != std::string::npos;  // IQN
          (inverted ? f.qn : f.q) = i.nets[p];
          for (const bool rise : {false, true}) (inverted ? f.qn_pj : f.q_pj)[rise] = output_pj(i, p, rise);
        } else if (pin.name == c.next_state) {
          f.d = i.nets[p];
          f.d_pj = input_pj(i, p) / 2;
        } else if (c.clear.find(pin.name) != std::string::npos) {
          f.clear = i.nets[p], f.clear_low = c.clear.find('!') != std::string::npos;
        } else if (c.preset.find(pin.name) != std::string::npos) {
          f.preset = i.nets[p], f.preset_low = c.preset.find('!') != std::string::npos;
        } else {
          f.gate = gate_of[static_cast<std::size_t>(i.nets[p])];
          // A clock gate's output load holds the pins it drives already.
          f.clock_pj = input_pj(i, p) + (f.gate < 0 ? pin.capacitance * volts_ * volts_ * 1e-3 : 0);
        }
      }
      if (f.d < 0) throw Error("switching", "flop " + c.name, "next state " + c.next_state, "one input pin");
      flops_.push_back(f);
    } else if (c.kind == Cell::Kind::other) {
      throw Error("switching", "cell " + c.name, "a latch or memory", "gates, flops and clock gates");
    }
  }
  order(std::move(gates));
  // Registers start at 0: their inverted outputs and everything behind them agree.
  for (const Flop& f : flops_)
    if (f.qn >= 0) value_[static_cast<std::size_t>(f.qn)] = 1;
}

void GateSimulator::order(std::vector<Gate> gates) {
  std::vector<int> driver(n_.nets.size(), -1), waits(gates.size(), 0), ready;
  std::vector<std::vector<int>> sinks(gates.size());
  for (std::size_t g = 0; g < gates.size(); ++g) driver[static_cast<std::size_t>(gates[g].output)] = static_cast<int>(g);
  for (std::size_t g = 0; g < gates.size(); ++g) {
    for (const int net : gates[g].inputs)
      if (net >= 0 && driver[static_cast<std::size_t>(net)] >= 0) {
        ++waits[g];
        sinks[static_cast<std::size_t>(driver[static_cast<std::size_t>(net)])].push_back(static_cast<int>(g));
      }
    if (waits[g] == 0) ready.push_back(static_cast<int>(g));
  }
  while (!ready.empty()) {
    const auto g = static_cast<std::size_t>(ready.back());
    ready.pop_back();
    for (const int s : sinks[g])
      if (--waits[static_cast<std::size_t>(s)] == 0) ready.push_back(s);
    gates_.push_back(std::move(gates[g]));
  }
  if (gates_.size() != gates.size()) throw Error("switching", "combinational loop", std::to_string(gates.size() - gates_.size()) + " gates", "none");
}

void GateSimulator::set(const std::string& input, bool value) {
  const auto it = ports_.find(input);
  if (it == ports_.end()) throw Error("switching", "port " + input, "nothing", "a port of the netlist");
  change(it->second, value, nullptr);
}

bool GateSimulator::output(const std::string& name) const {
  const auto it = ports_.find(name);
  if (it == ports_.end()) throw Error("switching", "port " + name, "nothing", "a port of the netlist");
  return value_[static_cast<std::size_t>(it->second)] != 0;
}

void GateSimulator::change(int net, bool value, const double* internal) {
  char& now = value_[static_cast<std::size_t>(net)];
  if (now == static_cast<char>(value)) return;
  now = static_cast<char>(value);
  ++energy_.changes;
  energy_.net_pj += 0.5 * t_.load[static_cast<std::size_t>(net)] * volts_ * volts_ * 1e-3;
  if (internal != nullptr) energy_.internal_pj += internal[value];
}

void GateSimulator::evaluate() {
  for (const Gate& g : gates_) {
    unsigned row = 0;
    for (std::size_t i = 0; i < g.inputs.size(); ++i)
      if (g.inputs[i] >= 0) row |= static_cast<unsigned>(value_[static_cast<std::size_t>(g.inputs[i])]) << i;
    change(g.output, (g.rows >> row) & 1, g.pj);
  }
}

void GateSimulator::step() {
  evaluate();
  for (ClockGate& g : clock_gates_) {
    g.open = g.enable >= 0 && value_[static_cast<std::size_t>(g.enable)] != 0;
    energy_.clock_pj += g.clock_pj + (g.open ? g.open_pj : 0);
  }
  std::vector<std::pair<const Flop*, bool>> next;
  for (const Flop& f : flops_) {
    const bool clear = f.clear >= 0 && (value_[static_cast<std::size_t>(f.clear)] != 0) != f.clear_low;
    const bool preset = f.preset >= 0 && (value_[static_cast<std::size_t>(f.preset)] != 0) != f.preset_low;
    const bool clocked = f.gate < 0 || clock_gates_[static_cast<std::size_t>(f.gate)].open;
    if (clocked) energy_.clock_pj += f.clock_pj;
    if (clear || preset) next.emplace_back(&f, preset);
    else if (clocked) next.emplace_back(&f, value_[static_cast<std::size_t>(f.d)] != 0);
  }
  for (const auto& [f, value] : next) {
    if (f->q >= 0) change(f->q, value, f->q_pj);
    if (f->qn >= 0) change(f->qn, !value, f->qn_pj);
  }
  ++energy_.cycles;
}

void GateSimulator::add_leakage(double period_ns) { energy_.leakage_pj = leakage_nw_ * period_ns * static_cast<double>(energy_.cycles) * 1e-6; }

}  // namespace jogak::ppa
