#include "profile.hpp"

#include <algorithm>

namespace jogak {
namespace {

constexpr const char* kNames[] = {"load", "store", "matrix", "vector"};
constexpr std::size_t kLd = 0, kSt = 1, kMx = 2, kVe = 3, kNowhere = ~std::size_t(0);

std::uint32_t body_of(const MapEntry& e) { return e.layers.empty() ? kNoLayer : e.layers.front(); }

}  // namespace

void Timeline::Cell::add(const Cell& other) {
  cycles += other.cycles;
  beats += other.beats;
  for (std::size_t i = 0; i < kSpents; ++i) spent[i] += other.spent[i];
  for (std::size_t i = 0; i < kEngines; ++i) busy[i] += other.busy[i];
}

Timeline::Spent Timeline::Cell::stall() const {
  return static_cast<Spent>(std::max_element(spent.begin() + kTile, spent.end()) - spent.begin());
}

Timeline::Timeline(const Program& program, std::size_t keep)
    : map_(program.map), loads_(program.weight_loads), entry_(program.code.size(), kNowhere), keep_(keep) {
  for (std::size_t i = map_.size(); i-- > 0;)
    std::fill(entry_.begin() + map_[i].first, entry_.begin() + map_[i].last + 1, i);
  for (std::size_t i = 0; i < map_.size(); ++i) {
    std::size_t first = 0;
    while (map_[first].op != map_[i].op || map_[first].layers != map_[i].layers) ++first;
    order_.push_back(first);
  }
  make_rows();
}

// All rows there can be, in program order.
void Timeline::make_rows() {
  std::vector<std::uint32_t> layers;
  for (const MapEntry& e : map_) layers.insert(layers.end(), e.layers.begin(), e.layers.end());
  std::sort(layers.begin(), layers.end());
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  const auto layered = [](const MapEntry& e) { return !e.layers.empty(); };
  const auto inner = std::find_if(map_.begin(), map_.end(), layered);
  for (auto e = map_.begin(); e != inner; ++e)
    if (e->op != kWeightLoads) row(kNoLayer, e->op);
  for (const std::uint32_t layer : layers)
    for (auto e = inner; e != map_.end(); ++e)
      if (e->op != kWeightLoads && std::find(e->layers.begin(), e->layers.end(), layer) != e->layers.end()) row(layer, e->op);
  for (auto e = inner; e != map_.end(); ++e)
    if (e->op != kWeightLoads && !layered(*e)) row(kNoLayer, e->op);
  launch_ = row(kNoLayer, kLaunch);
}

std::size_t Timeline::row(std::uint32_t layer, const std::string& op) {
  const auto [at, fresh] = index_.try_emplace({layer, op}, rows_.size());
  if (fresh) rows_.push_back({layer, op, {}});
  return at->second;
}

void Timeline::begin_launch() {
  for (auto& commands : open_) commands.clear();
  passes_ = {};
  piece_run_ = piece_ = 0;
  any_piece_ = any_event_ = false;
  covered_ = array_ = beats_ = 0;
  waiting_ = {};
}

// The pass of the command's body that its engine is in says which layer it is.
std::size_t Timeline::row_of(const driver::TraceEvent& e, bool ahead) {
  const std::size_t at = e.pc < entry_.size() ? entry_[e.pc] : kNowhere;
  if (at == kNowhere) return row(kNoLayer, "(none)");
  if (ahead) return row_of_piece(e.pc);
  const MapEntry& entry = map_[at];
  Passes& p = passes_[static_cast<std::size_t>(e.engine)];
  const std::uint32_t body = body_of(entry);
  const bool next = body != p.body || order_[at] < p.order;
  p.body = body, p.order = order_[at];
  if (body == kNoLayer) return row(kNoLayer, entry.op);
  const std::size_t pass = p.count[body] += next;
  return row(pass <= entry.layers.size() ? entry.layers[pass - 1] : kNoLayer, entry.op);
}

std::size_t Timeline::row_of_piece(std::uint32_t pc) {
  const bool same = any_piece_ && piece_entry_ == entry_[pc] && pc > piece_pc_;
  if (any_piece_ && !same) ++piece_;
  any_piece_ = true, piece_entry_ = entry_[pc], piece_pc_ = pc;
  while (piece_run_ < loads_.size() && piece_ >= loads_[piece_run_].pieces) piece_ = 0, ++piece_run_;
  if (piece_run_ >= loads_.size()) return row(kNoLayer, "(none)");
  return row(loads_[piece_run_].layer, loads_[piece_run_].op);
}

std::size_t Timeline::owner() const {
  for (const std::size_t engine : {kMx, kVe, kLd, kSt})
    if (!open_[engine].empty() && !open_[engine].front().ahead) return open_[engine].front().row;
  return kNowhere;
}

Timeline::Spent Timeline::reason() const {
  if (!open_[kMx].empty()) return kTile;
  if (!open_[kVe].empty()) return kVector;
  return open_[kLd].empty() && open_[kSt].empty() ? kControl : kMemory;
}

// The cycles up to this event.
void Timeline::advance(const driver::TraceEvent& e) {
  const auto count = [&](spec::Counter c) { return e.counters.empty() ? 0 : e.counters[static_cast<std::size_t>(c)]; };
  const std::uint64_t array = count(spec::Counter::mx_busy), beats = count(spec::Counter::ld_beats) + count(spec::Counter::st_beats);
  Cell cell;
  cell.cycles = any_event_ ? e.cycle - last_ : 0;
  cell.beats = beats - beats_;
  cell.spent[reason()] = cell.cycles;
  if (reason() == kTile) {
    cell.spent[kArray] = e.counters.empty() ? cell.cycles : std::min(array - array_, cell.cycles);
    cell.spent[kTile] -= cell.spent[kArray];
  }
  const std::size_t to = owner();
  (!any_event_ ? rows_[launch_].cell : to == kNowhere ? waiting_ : rows_[to].cell).add(cell);
  covered_ += cell.cycles;
  last_ = e.cycle, array_ = array, beats_ = beats, any_event_ = true;
}

void Timeline::event(const driver::TraceEvent& e) {
  const auto engine = static_cast<std::size_t>(e.engine);
  if (engine >= kEngines) return;
  advance(e);
  if (e.start) {
    const std::size_t at = e.pc < entry_.size() ? entry_[e.pc] : kNowhere;
    const bool ahead = at != kNowhere && map_[at].op == kWeightLoads;
    const std::size_t to = row_of(e, ahead);
    open_[engine].push_back({e.cycle, e.pc, to, ahead});
    if (ahead) return;
    rows_[to].cell.add(waiting_);
    waiting_ = {};
    return;
  }
  if (open_[engine].empty()) return;
  const Started s = open_[engine].front();
  open_[engine].pop_front();
  const std::uint64_t begin = std::max(s.cycle, free_from_[engine]);
  free_from_[engine] = e.cycle;
  rows_[s.row].cell.busy[engine] += e.cycle - begin;
  if (spans_.size() < keep_) spans_.push_back({begin, e.cycle, e.engine, s.pc, s.row});
}

void Timeline::end_launch(const LaunchRecord& record) {
  Cell rest = waiting_;
  rest.cycles += record[spec::Counter::cycles] - covered_;
  rest.spent[kControl] += record[spec::Counter::cycles] - covered_;
  rest.beats += record[spec::Counter::ld_beats] + record[spec::Counter::st_beats] - beats_;
  rows_[launch_].cell.add(rest);
  begin_launch();
}

std::vector<Timeline::Row> Timeline::rows() const {
  std::vector<Row> out;
  for (const Row& r : rows_)
    if (r.cell.cycles != 0 || std::any_of(r.cell.busy.begin(), r.cell.busy.end(), [](std::uint64_t b) { return b != 0; })) out.push_back(r);
  return out;
}

std::vector<Timeline::Row> Timeline::layers() const {
  std::vector<Row> out;
  for (const Row& r : rows()) {
    if (r.layer == kNoLayer) out.push_back(r);
    else if (out.empty() || out.back().layer != r.layer) out.push_back({r.layer, "", r.cell});
    else out.back().cell.add(r.cell);
  }
  return out;
}

std::map<std::string, Timeline::Cell> Timeline::operators() const {
  std::map<std::string, Cell> out;
  for (const Row& r : rows()) out[r.op].add(r.cell);
  return out;
}

std::string Timeline::chrome_json() const {
  std::string out = "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"schema\":\"jogak-trace-1\",\"columns\":1,\"rows\":1},\"traceEvents\":[\n";
  for (std::size_t i = 0; i < kEngines; ++i) {
    out += "{\"ph\":\"M\",\"pid\":0,\"tid\":" + std::to_string(i) + ",\"name\":\"thread_name\",\"args\":{\"name\":\"" + kNames[i] + "\"}},\n";
  }
  for (const Span& s : spans_) {
    const Row& r = rows_[s.row];
    out += "{\"ph\":\"X\",\"pid\":0,\"tid\":" + std::to_string(static_cast<int>(s.engine)) + ",\"ts\":" + std::to_string(s.begin) +
           ",\"dur\":" + std::to_string(s.end - s.begin) + ",\"name\":\"" + (r.layer == kNoLayer ? "" : std::to_string(r.layer) + " ") + r.op +
           "\",\"args\":{\"pc\":" + std::to_string(s.pc) + "}},\n";
  }
  return out + "{\"ph\":\"M\",\"pid\":0,\"name\":\"process_name\",\"args\":{\"name\":\"die 0 (0, 0)\"}}\n]}\n";
}

}  // namespace jogak
