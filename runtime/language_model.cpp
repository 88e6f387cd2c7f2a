#include "language_model.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace jogak {
namespace {

using Json = nlohmann::json;

void check_arguments(const Json& abi, bool batch) {
  if (abi.value("kind", "") != "causal_lm") throw Error("session", "kind of program", abi.value("kind", "none"), "causal_lm");
  if (abi.contains("batch") != batch)
    throw Error("session", "sequences of a launch", batch ? "1" : abi["batch"].at("sequences").dump(),
                batch ? "more (compile with --sequences N)" : "1 (a batch session takes programs for several)");
  std::vector<std::string> known = {batch ? "table_bytes" : "position", "rows", "logit_row", "logit_rows"};
  if (abi.contains("adapter")) known.push_back("adapter");
  if (abi.contains("package") && abi["package"].contains("overlap_rows")) known.push_back("overlapped");
  if (abi.contains("package")) known.push_back("die");
  const std::vector<std::string> args = abi.at("args");
  if (args != known) throw Error("session", "launch arguments", abi.at("args").dump(), known[0] + ", rows, logit_row, logit_rows");
}

KvLayout kv_layout(const Json& j) {
  KvLayout kv;
  kv.tokens = j.at("tokens"), kv.pages = j.at("pages"), kv.page_bytes = j.at("page_bytes"), kv.layer_bytes = j.at("layer_bytes");
  for (const Json& r : j.at("regions")) kv.regions.push_back({r.at("offset"), r.at("planes"), r.at("unit")});
  if (kv.tokens < 1 || kv.pages < 1) throw Error("session", "KV cache", "no tokens", "at least one page");
  const auto sliding = j.find("sliding");
  if (sliding == j.end()) return kv;
  kv.window = sliding->at("window"), kv.period = sliding->at("period"), kv.mask = sliding->at("mask"), kv.ring = sliding->at("ring");
  if (kv.window < 1 || kv.period < 1 || kv.period > 32 || kv.ring < 0 || (kv.ring > 0 && (kv.ring < kv.window || kv.pages > 1)))
    throw Error("session", "ring of the KV cache", sliding->dump(), "one that holds a window");
  return kv;
}

// A die's first layer and planes of the cache by head: what whole_cache() goes by.
bool consistent(const LanguageModel& m) {
  const std::vector<int>& first = m.first_layers;
  if (first.size() != static_cast<std::size_t>(m.dies) || first.front() != 0 || first.back() >= std::max(m.info.layers, 1)) return false;
  for (std::size_t i = 1; i < first.size(); ++i)
    if (first[i] < first[i - 1] || (first.back() > 0 && first[i] == first[i - 1])) return false;
  for (const KvLayout::Region& r : m.kv_of_die.regions)
    if (r.planes < 1 || r.unit < 1 || r.planes % m.kv_heads_of_die != 0) return false;
  return true;
}

// Regions are as long as their heads, each at a multiple of 64 bytes.
KvLayout of_all_heads(const LanguageModel& m) {
  KvLayout all = m.kv_of_die;
  std::uint64_t at = 0;
  for (KvLayout::Region& r : all.regions) {
    r.planes = r.planes / m.kv_heads_of_die * m.kv_heads, r.offset = at;
    at = (at + static_cast<std::uint64_t>(r.planes * r.unit) * static_cast<std::uint64_t>(all.tokens) + 63) / 64 * 64;
  }
  all.layer_bytes = at, all.page_bytes = 0;
  for (int layer = 0; layer < m.info.layers; ++layer) all.page_bytes += all.of_layer(at, m.on_its_die(layer));
  return all;
}

using Read = std::function<void(std::size_t, std::uint64_t, std::span<std::uint8_t>)>;  // of a die, from an offset in its page

// A page of the cache where each die has layers of its own.
void page_of_layers(const LanguageModel& model, const Read& read, std::span<std::uint8_t> page) {
  const KvLayout& all = model.kv;
  std::uint64_t to = 0, from = 0;
  for (int layer = 0, die = 0; layer < model.info.layers; ++layer) {
    if (die + 1 < model.dies && layer == model.first_layers[static_cast<std::size_t>(die) + 1]) ++die, from = 0;
    const std::uint64_t bytes = all.of_layer(all.layer_bytes, model.on_its_die(layer));
    read(static_cast<std::size_t>(die), from, page.subspan(to, bytes));
    to += bytes, from += bytes;
  }
}

// Where each die has some heads of every layer.
void page_of_heads(const LanguageModel& model, const Read& read, std::span<std::uint8_t> page) {
  const KvLayout &all = model.kv, &part = model.kv_of_die;
  std::uint64_t to = 0, from = 0;
  for (int layer = 0; layer < model.info.layers; to += all.of_layer(all.layer_bytes, layer), from += part.of_layer(part.layer_bytes, layer++)) {
    for (std::size_t r = 0; r < all.regions.size(); ++r) {
      const std::uint64_t tokens = all.of_layer(static_cast<std::uint64_t>(all.tokens), layer), unit = static_cast<std::uint64_t>(part.regions[r].unit);
      const auto planes = static_cast<std::uint64_t>(part.regions[r].planes), whole = static_cast<std::uint64_t>(all.regions[r].planes);
      for (std::uint64_t die = 0; die * planes < whole; ++die) {
        const std::uint64_t bytes = std::min(planes, whole - die * planes) * tokens * unit;
        read(die, from + part.of_layer(part.regions[r].offset, layer), page.subspan(to + all.of_layer(all.regions[r].offset, layer) + die * planes * tokens * unit, bytes));
      }
    }
  }
}

}  // namespace

std::vector<std::uint8_t> whole_cache(const LanguageModel& model, const std::function<void(std::size_t, std::uint64_t, std::span<std::uint8_t>)>& read) {
  std::vector<std::uint8_t> cache(static_cast<std::size_t>(model.kv.pages) * model.kv.page_bytes);
  for (std::uint64_t page = 0; page < static_cast<std::uint64_t>(model.kv.pages); ++page) {
    const std::uint64_t from = page * model.kv_of_die.page_bytes;
    const auto read_here = [&](std::size_t die, std::uint64_t at, std::span<std::uint8_t> to) { read(die, from + at, to); };
    (model.pipeline() ? page_of_layers : page_of_heads)(model, read_here, std::span(cache).subspan(page * model.kv.page_bytes, model.kv.page_bytes));
  }
  return cache;
}

LanguageModel read_language_model(const Program& program, bool batch) {
  try {
    const Json abi = Json::parse(program.abi);
    check_arguments(abi, batch);
    LanguageModel m;
    m.info = {abi.at("name"), abi.at("architecture"), abi.at("context"), abi.at("rows"), abi.at("vocab"), abi.at("layers"), abi.at("width"),
              abi.at("weight_stream_bytes")};
    m.chat_template = abi.value("chat_template", "");
    const Json& t = abi.at("tokenizer");
    m.tokenizer = Tokenizer({t.at("tokens"), t.at("scores"), t.at("types"), t.at("bos"), t.at("eos"), t.at("unk"), t.at("add_bos"),
                             t.at("add_space_prefix"), t.at("model"), t.value("pre", ""), t.value("merges", std::vector<std::string>()),
                             t.value("whole_words", false), t.value("compose", false), t.value("ends", std::vector<int>())});
    m.adapter = abi.contains("adapter");
    if (abi.contains("kv")) m.kv = m.kv_of_die = kv_layout(abi["kv"]);
    if (abi.contains("package")) {
      const Json& p = abi["package"];
      m.dies = p.at("dies"), m.kv_heads = p.at("kv_heads"), m.kv_heads_of_die = p.at("kv_heads_of_die");
      if (m.dies != static_cast<int>(program.mesh.dies()) || m.kv_heads < 1 || m.kv_heads_of_die * m.dies < m.kv_heads)
        throw Error("session", "package", p.dump(), "that of the program's mesh");
      m.first_layers = p.at("first_layers").get<std::vector<int>>();
      if (!consistent(m)) throw Error("session", "package", p.dump(), "a first layer for each die in order, and planes of the cache by its heads");
      m.places = p.value("places", m.places);
      m.overlap_rows = p.value("overlap_rows", 0);
      if ((m.overlap_rows > 0) != m.pipeline() || m.overlap_rows > m.info.rows)
        throw Error("session", "package", p.dump(), "rows of overlapped launches for a pipeline, and for it alone");
      m.kv = of_all_heads(m);
    }
    if (batch) {
      m.sequences = abi["batch"].at("sequences"), m.pieces = abi["batch"].at("pieces");
      if (m.kv.regions.empty() || m.info.context % m.kv.tokens != 0) throw Error("session", "KV cache", "no pages", "those of a batch program");
    }
    if (m.tokenizer.size() > m.info.vocab)
      throw Error("session", "vocabulary", std::to_string(m.tokenizer.size()) + " tokens", "at most the model's " + std::to_string(m.info.vocab));
    return m;
  } catch (const Json::exception& e) {
    throw Error("session", "launch ABI", e.what(), "what the compiler writes");
  }
}

int sequences_of(const Program& program) {
  const Json abi = Json::parse(program.abi, nullptr, false);
  const auto batch = abi.is_object() ? abi.find("batch") : abi.end();
  return batch != abi.end() && batch->is_object() && batch->value("sequences", Json()).is_number_integer() ? (*batch)["sequences"].get<int>() : 1;
}

Symbol need_symbol(const Program& program, const char* name, const char* dtype, std::size_t rank) {
  const Symbol* s = program.find(name);
  if (s == nullptr) throw Error("session", "program", std::string("no symbol ") + name, "a compiled language model");
  if (s->dtype != dtype || s->shape.size() != rank)
    throw Error("session", std::string("symbol ") + name, s->dtype + " of rank " + std::to_string(s->shape.size()),
                std::string(dtype) + " of rank " + std::to_string(rank));
  return *s;
}

Program without_segments(const Program& program) {
  Program copy = program;
  copy.segments.clear();
  copy.segments.shrink_to_fit();
  return copy;
}

}  // namespace jogak
