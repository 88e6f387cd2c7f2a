#include "coverage.hpp"

#include "sim/model/resolve.hpp"

namespace jogak::fuzz {

namespace {

using std::to_string;

template <class T, std::size_t N>
std::string name(const T (&values)[N], u32 value) {
  return value < N ? values[value].name : "?";
}

std::string space(spec::Space s) { return name(spec::space_values, u32(s)); }
std::string op_name(spec::Op op) { return spec::find_instruction(u8(op))->name; }

std::string mm_cell(u32 wfmt, u32 wscale, u32 ascale, bool acc, const char* form) {
  return "mm " + name(spec::wfmt_values, wfmt) + " ws=" + name(spec::wscale_values, wscale) +
         " as=" + name(spec::ascale_values, ascale) + (acc ? " acc" : "") + form;
}
std::string vec_cell(u32 op, u32 bmode, u32 func, u32 red) {
  return "vec " + name(spec::vop_values, op) + " " + name(spec::bmode_values, bmode) + " " +
         name(spec::vfunc_values, func) + " red=" + name(spec::vred_values, red);
}

struct Cells {
  Coverage& c;

  void operator()(const model::LoadCmd& x) { c.add("load " + space(x.space) + (x.gather ? " gather" : "")); }
  void operator()(const model::StoreCmd& x) { c.add("store " + space(x.space)); }
  void operator()(const model::MmCmd& x) {
    c.add(mm_cell(u32(x.wfmt), u32(x.wscale), u32(x.ascale), x.acc, x.colload ? " colload" : x.sparse ? " sparse" : ""));
  }
  void operator()(const model::VecCmd& x) {
    c.add(vec_cell(u32(x.op), u32(x.bmode), u32(x.func), u32(x.red)));
    const std::pair<bool, const char*> flags[] = {
        {x.wr, "wr"},     {!x.wr, "no wr"}, {x.nega, "nega"},     {x.negb, "negb"},
        {x.absa, "absa"}, {x.swap, "swap"}, {x.masked, "masked"}, {x.masked && x.linc, "linc"}};
    for (const auto& [set, flag] : flags) {
      if (set) c.add(std::string("vec ") + flag);
    }
  }
  void operator()(const model::QntCmd& x) { c.add("qnt " + name(spec::qgroup_values, u32(x.group))); }
};

}  // namespace

void Coverage::step(const model::Step& step) {
  const auto op = static_cast<spec::Op>(spec::opcode_of(step.insn));
  if (step.command) {
    const bool nothing = std::visit([](const auto& x) { return x.empty(); }, *step.command);
    if (nothing) return add(op_name(op) + " empty");
    std::visit(Cells{*this}, *step.command);
    return;
  }
  switch (op) {
    case spec::Op::alu:
      return add("alu " + name(spec::alu_fn_values, u32(spec::decode<spec::Alu>(step.insn).fn)));
    case spec::Op::alui:
      return add("alui " + name(spec::alu_fn_values, u32(spec::decode<spec::Alui>(step.insn).fn)));
    case spec::Op::wait:
      return add("wait " + name(spec::engine_values, u32(spec::decode<spec::Wait>(step.insn).eng)));
    case spec::Op::signal:
      return add("signal " + name(spec::engine_values, u32(spec::decode<spec::Signal>(step.insn).eng)));
    case spec::Op::loop: {
      const u32 rounds = step.registers[spec::decode<spec::Loop>(step.insn).rc];
      return add(rounds == 0 ? "loop none" : rounds == 1 ? "loop once" : "loop more");
    }
    default:
      return add(op_name(op));
  }
}

void Coverage::fault(spec::Fault fault, const spec::Insn* insn) {
  std::string where = "past the end";
  if (insn) where = spec::instruction_of(*insn) ? spec::instruction_of(*insn)->name : "unknown";
  if (fault == spec::Fault::watchdog) where = "any";
  if (fault == spec::Fault::bus && !insn) where = "fetch";
  std::string code = "?";
  for (const auto& f : spec::faults) {
    if (f.code == fault) code = f.name;
  }
  add("fault " + code + " " + where);
}

void Coverage::program(u32 loop_depth) { add("loops " + to_string(loop_depth) + " deep"); }

std::vector<std::string> Coverage::wanted(const spec::Config& config) {
  std::vector<std::string> all = {"lds",       "halt",     "loop none", "loop once",  "loop more",
                                  "qnt block", "qnt row",  "vec wr",    "vec no wr",  "vec nega",
                                  "vec negb",  "vec absa", "vec swap",  "vec masked", "vec linc"};
  for (const char* op : {"load", "store", "mm", "vec", "qnt"}) all.push_back(std::string(op) + " empty");
  for (const auto& s : spec::space_values) {
    all.push_back(std::string("load ") + s.name);
    all.push_back(std::string("load ") + s.name + " gather");
  }
  for (const char* s : {"aspm", "asc", "vmem"}) all.push_back(std::string("store ") + s);
  for (const auto& f : spec::alu_fn_values) {
    all.push_back(std::string("alu ") + f.name);
    all.push_back(std::string("alui ") + f.name);
  }
  for (const auto& e : spec::engine_values) {
    all.push_back(std::string("wait ") + e.name);
    all.push_back(std::string("signal ") + e.name);
  }
  for (u32 i = 0; i < 64; ++i) {
    const u32 wfmt = i & 1;
    const bool colload = i & 2;
    const auto cell = [&](const char* form) { all.push_back(mm_cell(wfmt, i >> 2 & 3, i >> 4 & 1, i >> 5 & 1, form)); };
    if (wfmt == 0 || !colload) cell(colload ? " colload" : "");
    if (config.sparse && !colload) cell(" sparse");
  }
  if (config.sparse) all.push_back("qnt pair");
  for (u32 i = 0; i < 4 * 3 * 4 * 3; ++i) all.push_back(vec_cell(i % 4, i / 4 % 3, i / 12 % 4, i / 48));
  for (u32 depth = 0; depth <= spec::limit::loop_depth; ++depth) all.push_back("loops " + to_string(depth) + " deep");
  for (const char* f :
       {"opcode unknown", "watchdog any",     "index load",   "bus load",          "bus store",     "bus fetch",
        "semaphore wait", "semaphore signal", "loop loop",    "loop past the end", "window load",   "window store",
        "onchip load",    "onchip store",     "onchip mm",    "onchip vec",        "onchip qnt",    "onchip lds",
        "align load",     "align store",      "align mm",     "align vec",         "align qnt",     "shape load",
        "shape store",    "shape mm",         "shape vec",    "shape qnt",         "reserved wait", "reserved signal",
        "reserved store", "reserved mm",      "reserved alu", "reserved alui",     "reserved halt", "reserved loop",
        "reserved lds",   "reserved load",    "reserved vec", "reserved qnt"}) {
    all.push_back(std::string("fault ") + f);
  }
  return all;
}

std::vector<std::string> Coverage::missing(const spec::Config& config) const {
  std::vector<std::string> result;
  for (const std::string& cell : wanted(config)) {
    if (!cells_.contains(cell)) result.push_back(cell);
  }
  return result;
}

}  // namespace jogak::fuzz
