#include "encoder.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "encoder/compile.hpp"
#include "encoder_session.hpp"
#include "error.hpp"
#include "import/encoder_hf.hpp"

namespace jogak::cli {
namespace {

using onnx::Array;
using onnx::Arrays;

bool is_program(const std::string& path) { return std::filesystem::path(path).extension() == ".jgk"; }

Program program(const EncoderArguments& a, const std::optional<eval::Mixed>& mixed = {}) {
  if (is_program(a.files.model)) return read_program(a.files.model);
  if (a.options.dies > 1) throw Error("compile", "dies of an encoder", std::to_string(a.options.dies), "1: decoders alone run on packages");
  std::vector<std::string> rules = a.options.format_of;
  if (mixed)
    for (const std::string& rule : passes::format_rules(mixed->choices, mixed->picked)) rules.push_back(rule);
  return encoder::compile(reader(a.files.model, a.tower, a.pooling, a.options)(eval::with_rules(ir::format_named(a.options.format), rules)), a.options.config);
}

// Rows of a text: the ones at the start of its mask.
std::size_t length(const std::vector<double>& mask) {
  const auto end = std::find_if(mask.begin(), mask.end(), [](double x) { return x != 1; });
  if (std::any_of(end, mask.end(), [](double x) { return x != 0; })) throw Error("jogak", "attention_mask", "ones behind a zero", "ones, then zeros");
  return static_cast<std::size_t>(end - mask.begin());
}

class Batch {
 public:
  Batch(const Arrays& inputs, const EncoderSession& session) : inputs_(inputs) {
    const std::string main = session.takes_image() ? "pixel_values" : "input_ids";
    for (const auto& [name, array] : inputs)
      if (name != main && (session.takes_image() || (name != "token_type_ids" && name != "attention_mask")))
        throw Error("jogak", "input " + name, "no such input", session.takes_image() ? main : "input_ids, token_type_ids or attention_mask");
    const auto found = inputs.find(main);
    if (found == inputs.end()) throw Error("jogak", "input " + main, "nothing", "--input " + main + "=FILE.npy");
    const auto& shape = found->second.shape;
    batched_ = shape.size() == (session.takes_image() ? 4 : 2);
    if (!batched_ && shape.size() != (session.takes_image() ? 3 : 1))
      throw Error("jogak", "shape of " + main, onnx::to_string(shape), session.takes_image() ? "[batch,channels,height,width]" : "[batch,tokens]");
    count_ = batched_ ? static_cast<std::size_t>(shape[0]) : 1;
  }
  std::size_t size() const { return count_; }
  bool batched() const { return batched_; }

  EncoderInput at(std::size_t i) const {
    EncoderInput in;
    for (const double x : part("pixel_values", i)) in.pixels.push_back(static_cast<float>(x));
    for (const double x : part("input_ids", i)) in.ids.push_back(static_cast<std::int32_t>(x));
    for (const double x : part("token_type_ids", i)) in.types.push_back(static_cast<std::int32_t>(x));
    if (inputs_.contains("attention_mask")) {
      const std::size_t rows = length(part("attention_mask", i));
      if (rows > in.ids.size()) throw Error("jogak", "attention_mask", std::to_string(rows) + " ones", "at most one a token");
      in.ids.resize(rows);
      if (!in.types.empty()) in.types.resize(rows);
    }
    return in;
  }

 private:
  std::vector<double> part(const std::string& name, std::size_t i) const {
    const auto found = inputs_.find(name);
    if (found == inputs_.end()) return {};
    const auto all = found->second.values();
    if (all.size() % count_ != 0) throw Error("jogak", "input " + name, std::to_string(all.size()) + " values", "a multiple of " + std::to_string(count_));
    const std::size_t n = all.size() / count_;
    return {all.begin() + static_cast<std::ptrdiff_t>(i * n), all.begin() + static_cast<std::ptrdiff_t>((i + 1) * n)};
  }

  const Arrays& inputs_;
  std::size_t count_ = 1;
  bool batched_ = false;
};

// [batch][rows][columns], without the dimensions that are not there. Shorter texts end with zeros.
Array stacked(std::vector<EncoderResult>& results, bool batched) {
  std::uint64_t rows = 0;
  for (const EncoderResult& r : results) rows = std::max(rows, r.rows);
  const std::uint64_t columns = results.empty() ? 0 : results.front().columns;
  std::vector<float> values;
  for (EncoderResult& r : results) {
    r.values.resize(rows * columns);
    values.insert(values.end(), r.values.begin(), r.values.end());
  }
  onnx::Shape shape;
  if (batched) shape.push_back(static_cast<std::int64_t>(results.size()));
  if (rows > 1) shape.push_back(static_cast<std::int64_t>(rows));
  shape.push_back(static_cast<std::int64_t>(columns));
  return onnx::make_floats(shape, std::move(values));
}

// The likeliest words in the place of each mask.
nlohmann::ordered_json guesses(const EncoderResult& r, const std::vector<std::int32_t>& ids, const WordPieces& words) {
  constexpr std::size_t kShown = 5;
  nlohmann::ordered_json masks = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != words.mask()) continue;
    const auto row = std::span(r.values).subspan(i * r.columns, std::min<std::size_t>(r.columns, static_cast<std::size_t>(words.size())));
    std::vector<std::size_t> order(row.size());
    for (std::size_t c = 0; c < order.size(); ++c) order[c] = c;
    const std::size_t shown = std::min(kShown, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(), [&](auto x, auto y) { return row[x] > row[y]; });
    double sum = 0;
    for (const float x : row) sum += std::exp(static_cast<double>(x) - static_cast<double>(row[order[0]]));
    nlohmann::ordered_json best;
    for (std::size_t c = 0; c < shown; ++c)
      best.push_back({{"word", words.token(static_cast<int>(order[c]))}, {"probability", std::exp(static_cast<double>(row[order[c]]) - static_cast<double>(row[order[0]])) / sum}});
    masks.push_back(best);
  }
  return masks;
}

// A text: what the model says of it, in numbers; of masked words the likeliest.
int run_prompt(const EncoderArguments& a, const Arrays& inputs, EncoderSession& session) {
  if (!inputs.empty()) throw Error("jogak", "--prompt", "inputs beside it", "one of --prompt and --input");
  const auto ids = session.words().encode(a.prompt);
  const EncoderResult r = session.run({.ids = ids});
  nlohmann::json report = {{"model", a.files.model}, {"on", a.files.on}, {"ids", ids}};
  const bool words = r.rows == ids.size() && session.output() == "logits";
  if (words) report["masks"] = guesses(r, ids, session.words());
  else report[session.output()] = r.values;
  if (!a.files.json) {
    for (const auto& mask : words ? report["masks"] : nlohmann::json::array())
      for (const auto& g : mask) std::cout << g["word"].get<std::string>() << " " << g["probability"] << (&g == &mask.back() ? "\n" : ", ");
    for (std::size_t i = 0; !words && i < r.values.size(); ++i) std::cout << r.values[i] << ((i + 1) % r.columns == 0 ? "\n" : " ");
  } else if (a.files.output.empty()) {
    std::cout << report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }
  if (a.files.output.empty()) return 0;
  std::vector<EncoderResult> one{r};
  return give_outputs(a.files, {{session.output(), stacked(one, false)}}, report);
}

}  // namespace

eval::ReadEncoder reader(const std::string& model, const std::string& tower, const std::string& pooling, const CompileOptions& options) {
  return [=](import::EncoderFormats formats) {
    if (!pooling.empty()) formats.pooling = pooling == "mean" ? encoder::Pooling::mean : pooling == "cls" ? encoder::Pooling::first : encoder::Pooling::none;
    encoder::Encoder e = import::read_encoder(model, formats, tower);
    if (options.context > 0) encoder::shorten(e, options.context);
    e.merge = options.merge_tokens;
    return e;
  };
}

std::optional<eval::Mixed> mix(const eval::ReadEncoder& read, const MixedArguments& a, const CompileOptions& options) {
  if (!asked(a)) return std::nullopt;
  encoder::Encoder model = read({});
  const bool text = std::filesystem::path(a.text).extension() == ".txt";
  const eval::Labelled data = text ? eval::text_examples(model, read_text(a.text), a.lines, a.examples)
                                   : eval::read_examples(a.text, {eval::input_name(model)}, eval::example_shape(model), a.scale, a.offset, a.examples);
  return eval::mix_encoder(read, data, budget(a, eval::int8_bytes(model), !eval::has_logits(model)), options.config, progress());
}

bool is_encoder_model(const std::string& path) {
  if (is_program(path)) return std::filesystem::exists(path) && is_encoder(read_program(path));
  return import::is_encoder(path);
}

void add_encoder_options(CLI::App& command, std::string& tower, std::string& pooling, CompileOptions& options) {
  command.add_option("--pooling", pooling, "bert without a head: one row of the text in place of all (default: as its files say)")->check(CLI::IsMember({"none", "mean", "cls"}));
  command.add_option("--merge-tokens", options.merge_tokens, "Images: rows that each layer merges into those most like them (0: none)")->check(CLI::Range(0, 16));
  command.add_option("--tower", tower, "CLIP: which of the two encoders, text or vision")->check(CLI::IsMember({"text", "vision"}));
}

void compile_encoder(const EncoderArguments& a) {
  const auto read = reader(a.files.model, a.tower, a.pooling, a.options);
  const std::optional<eval::Mixed> mixed = mix(read, a.mixed, a.options);
  const Program p = program(a, mixed);
  if (!a.files.program.empty()) write_program(p, a.files.program);
  const auto abi = nlohmann::json::parse(p.abi);
  std::cout << (a.files.program.empty() ? a.files.model + " (not written)" : a.files.program) << ": " << p.code.size() << " instructions, "
            << to_bytes(p).size() << " bytes; " << p.config << ", " << abi.at("architecture").get<std::string>() << ", " << abi.at("layers") << " layers, "
            << abi.at("context") << " rows in blocks of " << abi.at("rows") << "\n";
  if (mixed) std::cout << table(*mixed, !eval::has_logits(read({})));
}

int run_encoder(const EncoderArguments& a) {
  const Arrays inputs = read_inputs(a.files);
  EncoderSession session(program(a), a.files.on);
  if (!a.prompt.empty()) return run_prompt(a, inputs, session);
  const Batch batch(inputs, session);
  const auto start = std::chrono::steady_clock::now();
  std::vector<EncoderResult> results;
  std::uint64_t cycles = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    results.push_back(session.run(batch.at(i)));
    cycles += session.record()[spec::Counter::cycles];
  }
  nlohmann::json report = {{"model", a.files.model}, {"on", a.files.on}, {"sequences", batch.size()}};
  report["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (cycles > 0) report["cycles"] = cycles;
  return give_outputs(a.files, {{session.output(), stacked(results, batch.batched())}}, report);
}

}  // namespace jogak::cli
