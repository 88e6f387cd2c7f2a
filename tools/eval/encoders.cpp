#include "encoders.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "encoder/compile.hpp"
#include "encoder_session.hpp"
#include "error.hpp"
#include "passes/quantize.hpp"
#include "word_pieces.hpp"

namespace jogak::eval {
namespace {

using encoder::Encoder;
using encoder::ReferenceInput;

std::size_t best(std::span<const float> x) { return static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin()); }
std::vector<float> narrow(const std::vector<double>& x) { return {x.begin(), x.end()}; }

std::size_t columns_of(const Encoder& e) { return static_cast<std::size_t>(e.head.steps.empty() ? e.width : static_cast<int>(e.head.steps.back().dense.w->n)); }

struct Square {
  double off = 0, whole = 0;
  void add(std::span<const float> found, std::span<const float> exact) {
    for (std::size_t i = 0; i < exact.size(); ++i) off += std::pow(double(found[i]) - double(exact[i]), 2), whole += std::pow(double(exact[i]), 2);
  }
  double error() const { return std::sqrt(off / std::max(whole, 1e-300)); }
};

std::vector<float> run(EncoderSession& session, const ReferenceInput& in) {
  return session.run({.ids = {in.ids.begin(), in.ids.end()}, .types = {in.types.begin(), in.types.end()}, .pixels = in.pixels}).values;
}

// What the reference makes of every example.
struct Exact {
  std::vector<std::vector<float>> results;
  std::vector<encoder::Trace> traces;  // of the first ones
};
Exact exact_of(const Encoder& model, const std::vector<ReferenceInput>& inputs, int traced) {
  Exact e;
  for (const ReferenceInput& in : inputs) {
    const bool trace = static_cast<int>(e.traces.size()) < traced;
    if (trace) e.traces.emplace_back();
    e.results.push_back(narrow(encoder::reference(model, in, trace ? &e.traces.back() : nullptr)));
  }
  return e;
}

void judge(EncoderQuality& q, const std::vector<std::vector<float>>& found, const std::vector<std::vector<float>>& exact, std::size_t columns, const Labelled& data) {
  Square square;
  double right = 0, same = 0, rows = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    square.add(found[i], exact[i]);
    const std::size_t count = exact[i].size() / columns;
    const auto labels = data.classes.empty() ? std::span<const int>() : std::span(data.classes).subspan(i * static_cast<std::size_t>(data.each), static_cast<std::size_t>(data.each));
    if (!labels.empty() && labels.size() < count) throw Error("eval", "classes of an example", std::to_string(labels.size()), std::to_string(count));
    for (std::size_t r = 0; r < count; ++r) {
      if (!labels.empty() && labels[r] < 0) continue;
      const std::size_t mine = best(std::span(found[i]).subspan(r * columns, columns)), its = best(std::span(exact[i]).subspan(r * columns, columns));
      if (!labels.empty()) right += static_cast<int>(mine) == labels[r], q.judged += 1;
      same += mine == its, rows += 1;
    }
  }
  q.right = q.judged > 0 ? right / q.judged : 0;
  q.same = rows > 0 ? same / rows : 1;
  q.error = square.error();
}

// The rows behind each layer, which lie in DRAM as fp32 where the model ends there.
std::vector<LayerError> layer_errors(const Encoder& model, const Exact& exact, const std::vector<ReferenceInput>& inputs, const EncoderOptions& o) {
  std::vector<LayerError> errors;
  double before = 0;
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    Encoder cut = model;
    cut.layers.resize(l + 1);
    cut.head = {};
    EncoderSession session(encoder::compile(cut, o.config), o.on);
    Square square;
    for (std::size_t i = 0; i < exact.traces.size(); ++i) square.add(run(session, inputs[i]), narrow(exact.traces[i][l]));
    const double now = square.error();
    errors.push_back({static_cast<int>(l), "layer." + std::to_string(l), now, std::sqrt(std::max(0.0, now * now - before * before))});
    before = now;
  }
  return errors;
}

double log_sum(std::span<const float> x) {
  double top = -INFINITY, sum = 0;
  for (const float v : x) top = std::max(top, double(v));
  for (const float v : x) sum += std::exp(double(v) - top);
  return top + std::log(sum);
}

class EncoderProbe : public Probe {
 public:
  EncoderProbe(Encoder& model, const std::vector<ReferenceInput>& inputs) : model_(model), inputs_(inputs), results_(exact_of(model, inputs, 0).results) {
    encoder::each_matrix(model, [&](const encoder::Dense& d, auto&&...) { exact_.push_back(d.exact); });
  }
  void set(const std::string& matrix, ir::Format format) override {
    each(matrix, [&](encoder::Dense& d, int group, const std::vector<float>& exact) {
      ir::Tensor t{d.name, {d.w->n, static_cast<std::int64_t>(exact.size()) / d.w->n}, ir::DType::f32, std::vector<std::byte>(exact.size() * 4)};
      std::memcpy(t.data.data(), exact.data(), exact.size() * 4);
      d.w = std::make_shared<const ir::QMatrix>(passes::quantize(t, format, group));
      d.exact = nullptr;
    });
  }
  void reset(const std::string& matrix) override {
    std::size_t i = 0;
    encoder::each_matrix(model_, [&](encoder::Dense& d, auto&&...) {
      if (d.name == matrix) d.exact = exact_[i];
      ++i;
    });
  }
  double divergence() override {
    const std::size_t columns = columns_of(model_);
    const bool logits = has_logits(model_);
    double sum = 0, rows = 0;
    Square square;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const std::vector<float> found = narrow(encoder::reference(model_, inputs_[i]));
      square.add(found, results_[i]);
      for (std::size_t at = 0; logits && at < found.size(); at += columns, ++rows) {
        const std::span<const float> p = std::span(results_[i]).subspan(at, columns), q = std::span(found).subspan(at, columns);
        const double of_p = log_sum(p), of_q = log_sum(q);
        for (std::size_t c = 0; c < columns; ++c) sum += std::exp(double(p[c]) - of_p) * ((double(p[c]) - of_p) - (double(q[c]) - of_q));
      }
    }
    return logits ? std::max(0.0, sum / rows) : square.error() * square.error();
  }

 private:
  template <class F>
  void each(const std::string& matrix, const F& f) {
    std::size_t i = 0;
    encoder::each_matrix(model_, [&](encoder::Dense& d, int, int group, const std::string&) {
      if (d.name == matrix) f(d, group, *exact_[i]);
      ++i;
    });
  }

  Encoder& model_;
  const std::vector<ReferenceInput>& inputs_;
  std::vector<std::vector<float>> results_;
  std::vector<std::shared_ptr<const std::vector<float>>> exact_;
};

// k of a matrix in groups is padded already.
std::uint64_t bytes_of(const encoder::Dense& d, ir::Format format) { return passes::format_bytes(format, d.w->n, (d.w->k + 31) / 32 * 32); }

std::vector<passes::Choice> choices_of(const Encoder& model) {
  std::vector<passes::Choice> choices;
  encoder::each_matrix(model, [&](const encoder::Dense& d, int layer, int, const std::string& role) {
    choices.push_back({layer < 0 ? role : "layer." + std::to_string(layer) + "." + role, {d.name}, layer, role, {}});
    for (const ir::Format f : ir::kFormats) choices.back().candidates.push_back({f, bytes_of(d, f), 0});
  });
  return choices;
}

}  // namespace

std::vector<std::int64_t> example_shape(const Encoder& e) {
  if (e.embedding.source != encoder::Source::patches) return {};
  return {e.embedding.channels, e.embedding.image, e.embedding.image};
}

std::vector<ReferenceInput> inputs_of(const Encoder& model, const Labelled& data) {
  const auto shape = example_shape(model);
  std::vector<ReferenceInput> inputs(static_cast<std::size_t>(data.size()));
  if (!shape.empty() && data.features != shape[0] * shape[1] * shape[2])
    throw Error("eval", "values of an example", std::to_string(data.features), std::to_string(shape[0] * shape[1] * shape[2]) + " for this image's encoder");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto row = std::span(data.values).subspan(i * static_cast<std::size_t>(data.features), static_cast<std::size_t>(data.features));
    if (!shape.empty()) {
      inputs[i].pixels.assign(row.begin(), row.end());
      continue;
    }
    for (const float x : row) {
      if (x < 0) break;
      if (x != std::floor(x) || x >= static_cast<float>(model.embedding.vocab)) throw Error("eval", "token id", std::to_string(x), "a whole number below " + std::to_string(model.embedding.vocab));
      inputs[i].ids.push_back(static_cast<int>(x));
    }
    if (inputs[i].ids.empty() || static_cast<int>(inputs[i].ids.size()) > model.context)
      throw Error("eval", "tokens of example " + std::to_string(i), std::to_string(inputs[i].ids.size()), "1 to " + std::to_string(model.context));
  }
  return inputs;
}

Labelled text_examples(const Encoder& model, const std::string& text, bool lines, int most) {
  constexpr std::size_t kEvery = 7;
  const encoder::Words& w = model.words;
  if (w.tokens.empty()) throw Error("eval", "tokenizer of " + model.name, w.refused.empty() ? "none" : w.refused, "word pieces; or examples of ids (.npz, .npy, .csv)");
  const WordPieces words({w.tokens, w.unk, w.cls, w.sep, w.mask, w.prefix, w.longest, w.clean, w.split_ideographs, w.strip_accents, w.lowercase});
  const auto around = [](int id) { return static_cast<std::size_t>(id >= 0 ? 1 : 0); };
  const std::size_t context = static_cast<std::size_t>(model.context), ends = around(w.cls) + around(w.sep);
  if (context <= ends) throw Error("eval", "context for a text", std::to_string(context), "more than the " + std::to_string(ends) + " tokens around it");
  const std::size_t room = context - ends;
  // Pieces of a text, without what stands around them.
  std::vector<std::vector<std::int32_t>> texts;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line, lines ? '\n' : '\0') && (most == 0 || static_cast<int>(texts.size()) < most);) {
    std::vector<std::int32_t> ids = words.encode(line);
    ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(around(w.cls)));
    ids.resize(ids.size() - around(w.sep));
    for (std::size_t at = 0; at < ids.size() && (most == 0 || static_cast<int>(texts.size()) < most) && (at == 0 || !lines); at += room)
      texts.emplace_back(ids.begin() + static_cast<std::ptrdiff_t>(at), ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), at + room)));
  }
  if (texts.empty()) throw Error("eval", "text", "nothing in it", "words");
  const bool hide = has_logits(model) && model.head.rows == encoder::HeadRows::all && w.mask >= 0;
  Labelled data{.features = model.context, .values = {}, .classes = {}, .each = model.context};
  for (auto& ids : texts) {
    std::vector<float> row(static_cast<std::size_t>(model.context), -1);
    std::vector<int> classes(row.size(), -100);
    std::size_t at = 0;
    if (w.cls >= 0) row[at++] = static_cast<float>(w.cls);
    for (std::size_t i = 0; i < ids.size(); ++i, ++at) {
      const bool hidden = hide && i % kEvery == kEvery / 2;
      row[at] = static_cast<float>(hidden ? w.mask : ids[i]);
      if (hidden) classes[at] = ids[i];
    }
    if (w.sep >= 0) row[at] = static_cast<float>(w.sep);
    data.values.insert(data.values.end(), row.begin(), row.end());
    if (hide) data.classes.insert(data.classes.end(), classes.begin(), classes.end());
  }
  return data;
}

std::vector<EncoderQuality> evaluate_encoder(const ReadEncoder& read, const Labelled& data, const std::vector<NamedFormats>& formats, const EncoderOptions& options) {
  const Encoder reference = read({.keep_exact = true});
  const auto inputs = inputs_of(reference, data);
  const std::size_t columns = columns_of(reference);
  const Exact exact = exact_of(reference, inputs, options.layer_examples);
  std::vector<EncoderQuality> all(1);
  all[0].format = "fp32";
  judge(all[0], exact.results, exact.results, columns, data);
  for (const NamedFormats& f : formats) {
    const Encoder model = read(f.formats);
    EncoderSession session(encoder::compile(model, options.config), options.on);
    std::vector<std::vector<float>> found;
    for (const ReferenceInput& in : inputs) found.push_back(run(session, in));
    all.emplace_back();
    all.back().format = f.name;
    judge(all.back(), found, exact.results, columns, data);
    if (options.layer_examples > 0) all.back().layers = layer_errors(model, exact, inputs, options);
  }
  return all;
}

bool has_logits(const Encoder& model) { return model.head.name == "logits"; }

Mixed mix_encoder(const ReadEncoder& read, const Labelled& data, const passes::Budget& budget, const std::string& config, const Progress& progress) {
  Encoder model = read({.keep_exact = true});
  // Bodies of code differ in length with their formats: only compiling says whether they fit.
  const auto fits = [&](const std::vector<std::string>& rules) {
    try {
      (void)encoder::compile(read(with_rules(ir::Format::int8, rules)), config);
    } catch (const Error& e) {
      if (std::string(e.what()).find(" instructions, expected") == std::string::npos) throw;
      return false;
    }
    return true;
  };
  const auto inputs = inputs_of(model, data);
  EncoderProbe probe(model, inputs);
  return mix(probe, choices_of(model), budget, 0, progress, fits);
}

std::uint64_t int8_bytes(const Encoder& model) {
  std::uint64_t bytes = 0;
  encoder::each_matrix(model, [&](const encoder::Dense& d, auto&&...) { bytes += bytes_of(d, ir::Format::int8); });
  return bytes;
}

import::EncoderFormats with_rules(ir::Format standard, const std::vector<std::string>& rules) {
  import::EncoderFormats formats{.standard = standard};
  for (const std::string& rule : rules) {
    const auto split = rule.rfind('=');
    if (split == std::string::npos) throw Error("compile", "format rule", rule, "NAME=FORMAT");
    formats.rules.emplace_back(rule.substr(0, split), ir::format_named(rule.substr(split + 1)));
  }
  return formats;
}

}  // namespace jogak::eval
