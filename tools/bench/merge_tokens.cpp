// merge-tokens: what merging rows of an image's encoder saves, and what it costs in accuracy.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include "common.hpp"
#include "compiler/encoder/compile.hpp"
#include "compiler/encoder/synthetic.hpp"
#include "encoder_session.hpp"
#include "import/encoder_hf.hpp"
#include "loaded.hpp"

namespace jogak::bench {
namespace {

// Cycles of a launch of random layers.
double layers(const Program& program, const std::string& on) {
  const auto device = open_for(program, on);
  Loaded loaded(*device, program);
  const Symbol& x = *program.find("x");
  std::vector<std::uint8_t> bytes(x.bytes);
  for (std::uint64_t i = 0; i < x.bytes / 4; ++i) {
    const float value = static_cast<float>((i * 2654435761u >> 8) % 4096) / 1024.0f - 2.0f;
    std::memcpy(bytes.data() + 4 * i, &value, 4);
  }
  loaded.write(x.window, x.offset, bytes);
  const std::uint32_t rows = 197;
  return static_cast<double>(loaded.run(std::span(&rows, 1))[spec::Counter::cycles]);
}

void cycles(const Options& o, const std::string& config, Report& report) {
  const int count = o.tokens > 0 ? o.tokens : 12;
  const std::string on = value_or(o.on, "cycle");
  double base = 0;
  for (const int merge : {0, 4, 8, 13}) {
    const encoder::Shape shape{.layers = count, .width = 768, .heads = 12, .ffn = 3072, .context = 197, .norm_first = true, .merge = merge};
    const Program program = encoder::compile(encoder::synthetic(shape, ir::Format::int8, 1), config);
    const std::string what = std::to_string(count) + " ViT-B/16 layers from 197 rows on, " + std::to_string(merge) + " merged in each";
    const double found = layers(program, on);
    report.add({.case_name = what, .config = config, .on = on, .value = found, .unit = "cycles"});
    if (merge == 0) base = found;
    else report.add({.case_name = what, .config = config, .on = on, .value = found / base, .unit = "of the cycles without", .bar = 1, .less = true});
  }
}

// Right answers on the test set that the ViT of the shared models was made for: 64 values of 0 to 16, then the digit.
void digits(const std::string& config, Report& report) {
  const auto model = shared_model("trained/vit_tiny_digits"), data = shared_model("data/optdigits.tes");
  std::ifstream in(data);
  if (!std::filesystem::exists(model) || !in) return report.skip("no " + model.string() + " or " + data.string());
  std::vector<std::vector<int>> examples;
  for (std::string line; std::getline(in, line);) {
    std::istringstream values(line);
    std::vector<int> example;
    for (std::string value; std::getline(values, value, ',') && value.find_first_not_of("0123456789\r ") == std::string::npos;) example.push_back(std::stoi(value));
    if (example.size() == 65) examples.push_back(example);
  }
  encoder::Encoder vit = import::read_encoder(model, {});
  for (const int merge : {0, 1, 2, 3}) {
    vit.merge = merge;
    EncoderSession session(encoder::compile(vit, config), "model");
    int right = 0;
    for (const auto& example : examples) {
      EncoderInput input;
      for (std::size_t i = 0; i < 64; ++i) input.pixels.push_back(static_cast<float>(example[i]) / 8 - 1);
      const auto logits = session.run(input).values;
      right += std::max_element(logits.begin(), logits.end()) - logits.begin() == example[64];
    }
    report.add({.case_name = "vit_tiny_digits (4 layers, 17 rows), " + std::to_string(merge) + " merged in each layer, " + std::to_string(examples.size()) + " digits",
                .config = config, .on = "model", .value = 100.0 * right / static_cast<double>(examples.size()), .unit = "% right"});
  }
}

void run(const Options& o, Report& report) {
  const std::string config = value_or(o.config, "edge");
  digits(config, report);
  cycles(o, config, report);
}

const Register registered{"merge-tokens", "cycles and accuracy of encoders that merge rows (--tokens: layers, --on: backend that counts cycles)", run};

}  // namespace
}  // namespace jogak::bench
