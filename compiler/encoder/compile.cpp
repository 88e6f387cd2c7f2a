#include "compile.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lower.hpp"
#include "pack.hpp"

namespace jogak::encoder {
namespace {

void code(Program& program, const Plan& plan, const Head& head) {
  const emit::Emitter emitter = lower(plan, head);
  program.code = emitter.program().code();
  if (program.code.size() > plan.config.imem_words)
    throw Error("compile", "program", std::to_string(program.code.size()) + " instructions",
                "at most " + std::to_string(plan.config.imem_words) + " on " + plan.config.name);
  const auto& labels = emitter.program().labels();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::uint32_t end = i + 1 < labels.size() ? labels[i + 1].pc : static_cast<std::uint32_t>(program.code.size());
    if (end > labels[i].pc) program.map.push_back({labels[i].pc, end - 1, labels[i].name, labels[i].layers});
  }
}

// Matrices and weights in each format; with several of them, the format of each matrix.
void tell_formats(nlohmann::json& abi, const Encoder& model) {
  nlohmann::json used = nlohmann::json::object(), of = nlohmann::json::object();
  each_matrix(model, [&](const Dense& d, int layer, int, const std::string& role) {
    auto& entry = used[ir::name(d.w->format)];
    if (entry.is_null()) entry = {{"matrices", 0}, {"weights", 0}};
    entry["matrices"] = entry["matrices"].get<int>() + 1;
    entry["weights"] = entry["weights"].get<std::int64_t>() + d.w->n * d.w->k;
    of[!d.name.empty() ? d.name : layer < 0 ? role : "layer." + std::to_string(layer) + "." + role] = ir::name(d.w->format);
  });
  abi["formats"] = used;
  if (used.size() > 1) abi["format_of"] = of;
}

// Named tensors, and what a session must know.
void describe(Program& program, const Encoder& model, const Plan& p) {
  const auto size = [](int x) { return static_cast<std::uint64_t>(x); };
  const std::uint64_t rows = size(p.context), dn = size(p.dn), image = size(p.image);
  program.symbols = {{"x", 1, p.d_x, rows * dn * 4, "f32", {rows, dn}}};
  if (p.source == Source::tokens) program.symbols.push_back({"input/input_ids", 2, p.io_ids, rows * 4, "i32", {rows}});
  if (p.type_count > 0) program.symbols.push_back({"input/token_type_ids", 2, p.io_types, rows * 4, "i32", {rows}});
  if (p.source == Source::patches)
    program.symbols.push_back({"input/pixel_values", 2, p.io_pixels, size(p.channels) * image * image * 4, "f32", {size(p.channels), image, image}});
  const bool all = p.head_rows == HeadRows::all;
  const std::string output = "output/" + model.head.name;
  const std::uint64_t words = size(p.output_words), out_rows = all ? rows : 1;
  if (model.head.steps.empty() && p.head_rows != HeadRows::mean) program.symbols.push_back({output, 1, p.d_x, out_rows * dn * 4, "f32", {out_rows, dn}});
  else program.symbols.push_back({output, 2, p.io_out, out_rows * words * 4, "f32", {out_rows, words}});
  const char* input = p.source == Source::tokens ? "tokens" : p.source == Source::patches ? "image" : "rows";
  nlohmann::json abi = {{"kind", "encoder"}, {"name", model.name}, {"architecture", model.architecture}, {"context", p.context}, {"rows", p.rows},
                              {"width", p.width}, {"layers", p.layers}, {"vocab", p.vocab}, {"types", p.type_count}, {"input", input},
                              {"output", model.head.name}, {"output_rows", all ? "all" : "one"},
                              {"columns", model.head.steps.empty() ? p.width : p.output_columns}, {"args", {"rows"}}};
  tell_formats(abi, model);
  if (const Words& w = model.words; !w.tokens.empty())
    abi["tokenizer"] = {{"model", "word_pieces"}, {"tokens", w.tokens}, {"unk", w.unk}, {"cls", w.cls}, {"sep", w.sep}, {"mask", w.mask}, {"longest", w.longest}, {"prefix", w.prefix},
                        {"clean", w.clean}, {"split_ideographs", w.split_ideographs}, {"strip_accents", w.strip_accents}, {"lowercase", w.lowercase}};
  else if (!w.refused.empty()) abi["tokenizer"] = {{"refused", w.refused}};
  program.abi = abi.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Program compile(const Encoder& model, const std::string& config) {
  const spec::Config* found = spec::find_config(config.c_str());
  if (!found) throw Error("compile", "configuration", config, "one of spec/configs");
  const Plan p = make_plan(model, *found);
  Program program = make_program(*found);
  code(program, p, model.head);
  program.segments.push_back({0, 0, pack_weights(model, p)});
  program.window_bytes[0] = p.w_bytes;
  program.window_bytes[1] = p.d_bytes;
  program.window_bytes[2] = p.io_bytes;
  describe(program, model, p);
  verify(program);
  return program;
}

void pool(Encoder& model, Pooling pooling) {
  if (pooling == Pooling::none) return;
  if (!model.head.steps.empty() || model.embedding.source != Source::tokens) throw Error("compile", "pooling of rows", "a model with a head", "one that gives its rows (bert without a head)");
  model.head.rows = pooling == Pooling::mean ? HeadRows::mean : HeadRows::first;
  model.head.name = "embedding";
}

void shorten(Encoder& model, int rows) {
  if (model.embedding.source == Source::patches && rows < model.context)
    throw Error("compile", "context of an image's encoder", std::to_string(rows), "its " + std::to_string(model.context) + " rows");
  model.context = std::min(model.context, rows);
  if (!model.embedding.positions.empty()) model.embedding.positions.resize(static_cast<std::size_t>(model.context) * static_cast<std::size_t>(model.width));
}

}  // namespace jogak::encoder
