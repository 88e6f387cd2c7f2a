#include "adapter.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "import/gguf_file.hpp"
#include "import/json_file.hpp"
#include "import/safetensors.hpp"
#include "mapped_file.hpp"
#include "passes/quantize.hpp"
#include "schedule/tile.hpp"

namespace jogak {
namespace {

using import::Json;
using schedule::AdapterGroup;
using schedule::AdapterMatrix;
using schedule::AdapterPlan;

struct Field {
  const char* name;
  int AdapterPlan::* member;
};
constexpr Field kFields[] = {{"rank", &AdapterPlan::rank}, {"cols", &AdapterPlan::cols}, {"layers", &AdapterPlan::layers}, {"width", &AdapterPlan::width},
                             {"heads", &AdapterPlan::heads}, {"kv_heads", &AdapterPlan::kv_heads}, {"head_dim", &AdapterPlan::head_dim}, {"ffn", &AdapterPlan::ffn},
                             {"fc", &AdapterPlan::fc}, {"turning", &AdapterPlan::turning}, {"feeds", &AdapterPlan::feeds}, {"slot_bytes", &AdapterPlan::slot_bytes}};

enum Target { kQ, kK, kV, kO, kGate, kUp, kDown };
constexpr int kQkv = kDown + 1, kGateUp = kQkv + 1;  // fused in the file
struct Module {
  const char* name;
  int target;  // of Target, kQkv or kGateUp
};
// Of the llama kind by target; behind them those that phi and gpt2 call otherwise.
constexpr Module kModules[] = {{"self_attn.q_proj", kQ}, {"self_attn.k_proj", kK}, {"self_attn.v_proj", kV}, {"self_attn.o_proj", kO}, {"mlp.gate_proj", kGate},
                               {"mlp.up_proj", kUp}, {"mlp.down_proj", kDown}, {"self_attn.qkv_proj", kQkv}, {"mlp.gate_up_proj", kGateUp},
                               {"self_attn.dense", kO}, {"mlp.fc1", kUp}, {"mlp.fc2", kDown},
                               {"attn.c_attn", kQkv}, {"attn.c_proj", kO}, {"mlp.c_fc", kUp}, {"mlp.c_proj", kDown}};
constexpr Module kGgufNames[] = {{"attn_q", kQ}, {"attn_k", kK}, {"attn_v", kV}, {"attn_output", kO}, {"ffn_gate", kGate}, {"ffn_up", kUp}, {"ffn_down", kDown},
                                 {"attn_qkv", kQkv}};

// A matrix of floats, rows by columns; none: zeros.
struct Floats {
  int n = 0, k = 0;
  std::vector<float> values;
  float at(int row, int column) const { return values.empty() ? 0.0f : values[static_cast<std::size_t>(row) * static_cast<std::size_t>(k) + static_cast<std::size_t>(column)]; }
};
struct Pair {
  Floats a, b;
};

// The places of a program, one machine's or those of each die of a package.
struct Places {
  AdapterPlan die;                     // layers and heads are those of a die
  AdapterPlan model;                   // the same with all that the model has
  int dies = 1;
  std::vector<int> first_layers = {0};  // of each die, where each has layers of its own; else 0 for all
  bool pipeline() const { return first_layers.back() > 0; }
  // The model's layer, or -1 for one of zeros behind a die's last one.
  int layer(int index, int on) const {
    if (!pipeline()) return index;
    const int layer = first_layers[static_cast<std::size_t>(on)] + index;
    return layer < (on + 1 < dies ? first_layers[static_cast<std::size_t>(on) + 1] : model.layers) ? layer : -1;
  }
};

void add_package(Places& to, const Json& abi) {
  const Json package = abi.value("package", Json::object());
  const auto first = import::optional_key<std::vector<int>>("adapter", package, "first_layers").value_or(std::vector<int>());
  const int dies = import::need_size("adapter", package, "dies"), kv_heads = import::need_size("adapter", package, "kv_heads"), layers = import::need_size("adapter", abi, "layers");
  const bool ordered = std::is_sorted(first.begin(), first.end()) && !first.empty() && first.front() == 0 && first.back() < layers;
  if (!ordered || static_cast<std::uint32_t>(dies) > kMostDies || first.size() != static_cast<std::size_t>(dies) || to.die.kv_heads < 1 || kv_heads > to.die.kv_heads * dies)
    throw Error("adapter", "package in the program", package.dump(), "a first layer of each die in order, and its heads");
  to.dies = dies, to.first_layers = first;
  to.model.kv_heads = kv_heads, to.model.heads = to.die.heads / to.die.kv_heads * kv_heads, to.model.layers = layers;
  to.die.all_heads = to.model.heads;
  if (!to.pipeline()) to.die.dies = dies;
  if (to.model.routed.empty() || !to.pipeline()) return;
  to.model.routed.assign(static_cast<std::size_t>(layers), 0);
  for (int die = 0; die < dies; ++die)
    for (int l = 0; l < to.die.layers; ++l)
      if (const int layer = to.layer(l, die); layer >= 0) to.model.routed[static_cast<std::size_t>(layer)] = to.die.is_routed(l);
}

Places places_of(const Program& program) {
  const Json abi = Json::parse(program.abi, nullptr, false);
  if (!abi.is_object() || !abi.contains("adapter")) throw Error("adapter", "program", "no place for adapters", "one compiled with --lora RANK");
  AdapterPlan p;
  for (const Field& f : kFields) {
    const auto size = import::optional_size("adapter", abi["adapter"], f.name, 0);
    if (!size) throw Error("adapter", f.name, "nothing", "a whole number");
    p.*f.member = *size;
  }
  p.routed = import::optional_key<std::vector<int>>("adapter", abi["adapter"], "routed").value_or(std::vector<int>());
  if (p.rank == 0 || p.cols == 0 || p.fc == 0 || p.slot_bytes == 0 || p.feeds < 1 || p.feeds > 2 || (!p.routed.empty() && p.routed.size() != static_cast<std::size_t>(p.layers)))
    throw Error("adapter", "sizes in the program", "some that are 0 or do not agree", "those of a program compiled with --lora RANK");
  Places places{.die = p, .model = p};
  if (abi.contains("package")) add_package(places, abi);
  return places;
}

// An adapter's matrices by layer and target, from a folder in PEFT's form or a GGUF file.
class Source {
 public:
  Source(const AdapterPlan& plan, const std::filesystem::path& path) : p_(plan), pairs_(static_cast<std::size_t>(plan.layers)) {
    if (std::filesystem::is_regular_file(path)) read_gguf(path);
    else read_folder(path);
    for (std::size_t l = 0; l < pairs_.size(); ++l)
      for (const auto& [target, pair] : pairs_[l])
        if (pair.a.values.empty() || pair.b.values.empty())
          throw Error(kPart, "layer " + std::to_string(l) + " " + kModules[target].name, pair.a.values.empty() ? "lora_B alone" : "lora_A alone", "both");
    if (std::all_of(pairs_.begin(), pairs_.end(), [](const auto& m) { return m.empty(); })) throw Error(kPart, "tensors", "none", "lora_A and lora_B of some projection");
  }
  // The pair of a target; null: zeros.
  const Pair* find(int layer, Target target) const {
    if (layer < 0) return nullptr;
    const auto& all = pairs_[static_cast<std::size_t>(layer)];
    const auto found = all.find(target);
    return found == all.end() ? nullptr : &found->second;
  }

 private:
  static constexpr const char* kPart = "adapter";

  void check_rank(std::int64_t rank) const {
    if (rank > p_.rank) throw Error(kPart, "rank", std::to_string(rank), "at most " + std::to_string(p_.rank) + ", for which the program was compiled (--lora)");
  }
  static float checked_scale(double scale, double alpha) {
    if (!std::isfinite(scale)) throw Error(kPart, "lora_alpha", std::to_string(alpha), "a number");
    return static_cast<float>(scale);
  }

  void read_folder(const std::filesystem::path& folder) {
    const Json j = import::read_json_file(folder / "adapter_config.json");
    const auto type = import::need_key<std::string>(kPart, j, "peft_type");
    if (type != "LORA") throw Error(kPart, "peft_type", type, "LORA");
    rank_ = import::need_size(kPart, j, "r");
    check_rank(rank_);
    const auto alpha = import::need_key<double>(kPart, j, "lora_alpha");
    const float scale = checked_scale(import::optional_key<bool>(kPart, j, "use_rslora").value_or(false) ? alpha / std::sqrt(rank_) : alpha / rank_, alpha);
    // fan_in_fan_out says how the base's matrices lie (gpt2's), which is the base's business.
    for (const char* key : {"use_dora", "lora_bias"})
      if (import::optional_key<bool>(kPart, j, key).value_or(false)) throw Error(kPart, key, "true", "false");
    if (const auto bias = import::optional_key<std::string>(kPart, j, "bias").value_or("none"); bias != "none") throw Error(kPart, "bias", bias, "none");
    for (const char* key : {"rank_pattern", "alpha_pattern", "modules_to_save"})
      if (const auto it = j.find(key); it != j.end() && !it->is_null() && !it->empty()) throw Error(kPart, key, it->dump().substr(0, 80), "nothing (one rank and alpha for all)");
    for (const ir::Tensor& t : import::read_safetensors_file(folder / "adapter_model.safetensors")) {
      const std::string marker = t.name.find("layers.") != std::string::npos || t.name.find(".h.") == std::string::npos ? "layers." : ".h.";  // gpt2's: transformer.h.N
      const Place place = find_place(t.name, marker, kModules, {".lora_A.weight", ".lora_A.default.weight"}, {".lora_B.weight", ".lora_B.default.weight"});
      put(t, place, rank_, scale, true);
    }
  }

  // Ranks may differ by matrix there. Rows of q and k of a llama are already in pairs, as those of the model were when its file was made.
  void read_gguf(const std::filesystem::path& path) {
    const auto file = std::make_shared<const MappedFile>("adapter", path, "a GGUF file or a folder");
    import::GgufFile gguf(file->bytes(), path.filename().string(), file);
    for (const auto& [key, expected] : {std::pair{"general.type", "adapter"}, std::pair{"adapter.type", "lora"}}) {
      const auto* found = gguf.list<std::string>(key);
      if (found == nullptr || *found != expected) throw Error(gguf.part(), std::string("metadata ") + key, found ? *found : "nothing", expected);
    }
    const double alpha = gguf.real("adapter.lora.alpha");
    const bool halves = gguf.architecture() != "llama";
    const std::vector<ir::Tensor> tensors = gguf.tensors();
    // Phi-3's up is gate and up.
    const auto fused_up = [&](const ir::Tensor& t) { return t.name.ends_with("ffn_up.weight.lora_b") && t.shape.front() == 2 * p_.ffn; };
    const bool fused = std::any_of(tensors.begin(), tensors.end(), fused_up);
    std::map<std::pair<int, int>, std::int64_t> ranks;
    for (const bool a : {true, false})
      for (const ir::Tensor& t : tensors) {
        Place place = find_place(t.name, "blk.", kGgufNames, {".weight.lora_a"}, {".weight.lora_b"});
        if (place.a != a) continue;
        if (fused && place.target == kUp) place.target = kGateUp;
        const std::int64_t rank = t.shape.at(a ? 0 : t.shape.size() - 1);
        check_rank(rank);
        if (a) ranks[{place.layer, place.target}] = rank;
        const auto known = ranks.find({place.layer, place.target});
        put(t, place, static_cast<int>(known == ranks.end() ? rank : known->second), checked_scale(alpha == 0 ? 1 : alpha / static_cast<double>(rank), alpha), halves);
      }
  }

  struct Place {
    int layer = 0;
    int target = 0;  // of Target, kQkv or kGateUp
    bool a = false;
  };
  using Ends = std::initializer_list<const char*>;

  [[noreturn]] static void stranger(const std::string& name, const char* marker, std::span<const Module> modules, const char* a, const char* b) {
    std::string known;
    for (const Module& m : modules) known += (known.empty() ? "" : ", ") + std::string(m.name);
    throw Error(kPart, "tensor " + name, "no place for it", marker + std::string("N.") + known + ", each with " + a + " and " + b);
  }

  // "...layers.N.self_attn.q_proj.lora_A.weight", "blk.N.attn_q.weight.lora_a"
  Place find_place(const std::string& name, const std::string& marker, std::span<const Module> modules, Ends as, Ends bs) const {
    const auto refuse = [&] { stranger(name, marker.c_str(), modules, *as.begin(), *bs.begin()); };
    const auto from = name.find(marker);
    if (from == std::string::npos) refuse();
    const std::string rest = name.substr(from + marker.size());
    const auto dot = rest.find('.');
    const std::string number = rest.substr(0, dot);
    if (dot == std::string::npos || number.empty() || number.size() > 6 || number.find_first_not_of("0123456789") != std::string::npos) refuse();
    const int layer = std::stoi(number);
    if (layer >= p_.layers) throw Error(kPart, "tensor " + name, "layer " + number, "0 to " + std::to_string(p_.layers - 1));
    for (const Module& m : modules)
      for (const bool a : {true, false})
        for (const char* end : a ? as : bs)
          if (rest.substr(dot + 1) == std::string(m.name) + end) return known({layer, m.target, a}, name);
    refuse();
    return {};
  }

  Place known(const Place& place, const std::string& name) const {
    const int t = place.target;
    if (p_.feeds == 1 && (t == kGate || t == kGateUp)) throw Error(kPart, "tensor " + name, "a gate", "none: this decoder's feed-forward has no gate");
    if (p_.is_routed(place.layer) && (t == kGate || t == kUp || t == kDown || t == kGateUp))
      throw Error(kPart, "tensor " + name, "a feed-forward's", "attention's in layer " + std::to_string(place.layer) + ", which has experts");
    return place;
  }

  // halves: rows of q and k lie in halves of each head and are yet to be put in pairs.
  void put(const ir::Tensor& t, const Place& place, int rank, float scale, bool halves) {
    const int d = p_.width, q = p_.heads * p_.head_dim, kv = p_.kv_heads * p_.head_dim;
    const int outputs[] = {q, kv, kv, d, p_.ffn, p_.ffn, d, q + 2 * kv, 2 * p_.ffn}, inputs[] = {d, d, d, q, d, d, p_.ffn, d, d};
    const std::vector<std::int64_t> expected = place.a ? std::vector<std::int64_t>{rank, inputs[place.target]} : std::vector<std::int64_t>{outputs[place.target], rank};
    if (t.shape != expected) {
      std::string shape;
      for (const auto n : t.shape) shape += (shape.empty() ? "" : " x ") + std::to_string(n);
      throw Error(kPart, "shape of " + t.name, shape, std::to_string(expected[0]) + " x " + std::to_string(expected[1]) + " of this model");
    }
    Floats all{static_cast<int>(expected[0]), static_cast<int>(expected[1]), passes::finite_float(t)};
    if (!place.a)
      for (float& x : all.values) x *= scale;
    if (place.target == kQkv) return share(place, std::move(all), {{kQ, q}, {kK, kv}, {kV, kv}}, halves);
    if (place.target == kGateUp) return share(place, std::move(all), {{kGate, p_.ffn}, {kUp, p_.ffn}}, halves);
    share(place, std::move(all), {{static_cast<Target>(place.target), all.n}}, halves);
  }

  // The targets of a fused matrix have the same A, and each its rows of B.
  void share(const Place& place, Floats all, const std::vector<std::pair<Target, int>>& targets, bool halves) {
    auto from = all.values.begin();
    for (const auto& [target, rows] : targets) {
      Pair& pair = pairs_[static_cast<std::size_t>(place.layer)][target];
      Floats& to = place.a ? pair.a : pair.b;
      if (!to.values.empty()) throw Error(kPart, "layer " + std::to_string(place.layer) + " " + kModules[target].name, "two matrices for it", "one, alone or fused");
      if (place.a) {
        to = all;
        continue;
      }
      to = {rows, all.k, {from, from + static_cast<std::ptrdiff_t>(rows) * all.k}};
      from += static_cast<std::ptrdiff_t>(rows) * all.k;
      if (halves && (target == kQ || target == kK)) pair_up(to);
    }
  }

  // As the model's own rows of q and k: i and i + half of each head become 2i and 2i + 1.
  void pair_up(Floats& m) const {
    const Floats old = m;
    const auto k = static_cast<std::size_t>(m.k);
    for (int r = 0; r < m.n; ++r) {
      const int i = r % p_.head_dim, half = p_.turning / 2;
      if (i >= p_.turning) continue;
      const int to = r - i + (i < half ? 2 * i : 2 * (i - half) + 1);
      std::copy_n(old.values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(r) * k), k, m.values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(to) * k));
    }
  }

  const AdapterPlan& p_;
  std::vector<std::map<Target, Pair>> pairs_;
  int rank_ = 0;
};

// Writes matrices in the order in which the program takes them.
class Packer {
 public:
  Packer(const Places& places, const Source& source) : p_(places.die), places_(places), source_(source) {}

  std::vector<std::uint8_t> run() {
    for (die_ = 0; die_ < places_.dies; ++die_)
      for (int l = 0; l < p_.layers; ++l) layer(places_.layer(l, die_), p_.is_routed(l));
    return std::move(out_);
  }

 private:
  // The die's part where dies share a layer.
  int part() const { return p_.dies > 1 ? die_ : 0; }

  void layer(int l, bool routed) {
    down(l, AdapterGroup::qkv, {kQ, kK, kV});
    heads(l, kQ, p_.heads), heads(l, kK, p_.kv_heads), heads(l, kV, p_.kv_heads);
    down(l, AdapterGroup::o, {kO});
    residual(l, kO);
    if (routed) return;
    down(l, AdapterGroup::ffn, p_.feeds == 2 ? std::vector<Target>{kGate, kUp} : std::vector<Target>{kUp});
    for (int i = 0; i < p_.iterations(); ++i) iteration(l, (part() * p_.iterations() + i) * p_.fc);
    down(l, AdapterGroup::down, {kDown});
    residual(l, kDown);
  }
  // A of the targets, one below the other; the input of o has a gap behind each head.
  void down(int layer, AdapterGroup g, const std::vector<Target>& targets) {
    Floats m = zeros(p_.down_columns(g), p_.input(g));
    const int padded = schedule::round_up(p_.head_dim, 32);
    for (std::size_t t = 0; t < targets.size(); ++t) {
      const Pair* pair = source_.find(layer, targets[t]);
      if (pair == nullptr) continue;
      for (int r = 0; r < pair->a.n; ++r)
        for (int c = 0; c < pair->a.k; ++c)
          value(m, static_cast<int>(t) * p_.rank + r, g == AdapterGroup::o ? c / p_.head_dim * padded + c % p_.head_dim : c) = pair->a.at(r, c);
    }
    matrix(m, p_.down(g));
  }
  void heads(int layer, Target target, int count) {
    for (int h = part() * count; h < (part() + 1) * count; ++h) {
      Floats m = zeros(p_.hn(), p_.rank);
      if (const Pair* pair = source_.find(layer, target)) rows(m, pair->b, h * p_.head_dim, p_.head_dim);
      matrix(m, p_.up_head());
    }
  }
  void residual(int layer, Target target) {
    Floats m = zeros(p_.x_part(), p_.rank);
    if (const Pair* pair = source_.find(layer, target)) rows(m, pair->b, part() * p_.x_part(), p_.x_part());
    matrix(m, p_.up_residual());
  }
  // Columns of gate, then of up.
  void iteration(int layer, int first) {
    for (const Target target : {kGate, kUp}) {
      if (target == kGate && p_.feeds == 1) continue;
      Floats m = zeros(p_.fc, p_.rank);
      if (const Pair* pair = source_.find(layer, target)) rows(m, pair->b, first, p_.fc);
      matrix(m, p_.up_ffn());
    }
  }

  static Floats zeros(int n, int k) { return {n, k, std::vector<float>(static_cast<std::size_t>(n) * static_cast<std::size_t>(k))}; }
  static float& value(Floats& m, int row, int column) { return m.values[static_cast<std::size_t>(row) * static_cast<std::size_t>(m.k) + static_cast<std::size_t>(column)]; }
  // Those that there are of `count` rows from `first` on.
  static void rows(Floats& to, const Floats& from, int first, int count) {
    for (int r = 0; r < std::min(count, from.n - first); ++r)
      for (int c = 0; c < from.k; ++c) value(to, r, c) = from.at(first + r, c);
  }

  void matrix(const Floats& m, const AdapterMatrix& plan) {
    ir::Tensor t{.name = "adapter", .shape = {m.n, m.k}, .dtype = ir::DType::f32, .data = std::vector<std::byte>(m.values.size() * 4)};
    std::memcpy(t.data.data(), m.values.data(), t.data.size());
    const ir::QMatrix q = passes::quantize(t, ir::Format::int8);
    for (int piece = 0; piece < plan.count; ++piece) {
      std::vector<std::byte> bytes(static_cast<std::size_t>(p_.piece_bytes(plan)));
      std::byte* tile = bytes.data();
      std::byte* scale = tile + plan.nbs * plan.kbs * p_.tile_bytes();
      const int column = piece / plan.kparts * plan.nbs * p_.cols, kb0 = piece % plan.kparts * plan.kbs;
      for (int nb = 0; nb < plan.nbs; ++nb)
        for (int kb = 0; kb < plan.kbs; ++kb, tile += p_.tile_bytes(), scale += 2 * p_.cols)
          for (int c = 0; c < p_.cols; ++c) schedule::put_column(q, column + nb * p_.cols + c, kb0 + kb, c, p_.cols, tile, scale);
      for (const std::byte b : bytes) out_.push_back(static_cast<std::uint8_t>(b));
    }
  }

  const AdapterPlan& p_;
  const Places& places_;
  const Source& source_;
  int die_ = 0;
  std::vector<std::uint8_t> out_;
};

}  // namespace

std::vector<std::uint8_t> pack_adapter(const Program& program, const std::filesystem::path& path) {
  const Places places = places_of(program);
  const Source source(places.model, path);
  return Packer(places, source).run();
}

int adapter_rank(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) return import::need_size("adapter", import::read_json_file(path / "adapter_config.json"), "r");
  const auto file = std::make_shared<const MappedFile>("adapter", path, "a GGUF file or a folder");
  import::GgufFile gguf(file->bytes(), path.filename().string(), file);
  std::int64_t rank = 0;
  for (const ir::Tensor& t : gguf.tensors())
    if (t.name.ends_with(".lora_a")) rank = std::max(rank, t.shape.front());
  if (rank == 0) throw Error(gguf.part(), "tensors", "no .lora_a", "an adapter");
  return static_cast<int>(std::min<std::int64_t>(rank, 1 << 20));
}

nlohmann::json schedule::to_json(const AdapterPlan& plan) {
  Json j = Json::object();
  for (const Field& f : kFields) j[f.name] = plan.*f.member;
  if (!plan.routed.empty()) j["routed"] = plan.routed;
  return j;
}

}  // namespace jogak
