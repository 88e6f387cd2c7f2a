// What does not fit is refused with the memory, the need and the limit.
#include "plan.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "../import/synthetic.hpp"
#include "compile.hpp"
#include "error.hpp"

using namespace jogak;
using import::LlamaHyper;

namespace {

const LlamaHyper kSmall{.layers = 2, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 128, .vocab = 100};

std::string refusal(const LlamaHyper& h, const CompileOptions& options) {
  try {
    compile(import::synthetic_llama(h, 1), options);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

LlamaHyper with(int LlamaHyper::*field, int value) {
  LlamaHyper h = kSmall;
  h.*field = value;
  return h;
}

}  // namespace

TEST_CASE("every configuration takes a small model in every format") {
  for (const spec::Config& c : spec::configs)
    for (const std::string& format : weight_formats()) {
      CAPTURE(c.name);
      CAPTURE(format);
      CHECK(refusal(kSmall, {.config = c.name, .format = format}) == "");
    }
}

TEST_CASE("a context that does not fit on chip is taken in chunks, one that memory cannot hold is refused") {
  const LlamaHyper h = with(&LlamaHyper::context, 1 << 20);
  for (const auto& [wish, context] : {std::pair{8192, 8192}, std::pair{0, 4096}, std::pair{500, 512}}) {
    const Program p = compile(import::synthetic_llama(h, 1), {.config = "nano", .context = wish}).program;
    CHECK(p.find("tokens")->shape[0] == static_cast<std::uint64_t>(context));
  }
  LlamaHyper wide = h;
  wide.head_dim = 256, wide.layers = 8;
  const std::string text = refusal(wide, {.config = "nano", .context = 1 << 20});
  CHECK(contains(text, "KV cache window, found "));
  CHECK(contains(text, "expected at most 4 GiB"));
}

TEST_CASE("a model that is too wide for a configuration names it") {
  const std::string text =
      refusal(LlamaHyper{.layers = 1, .width = 8192, .heads = 64, .kv_heads = 8, .ffn = 64, .context = 32, .vocab = 33}, {.config = "nano"});
  CHECK(contains(text, "nano"));
  CHECK(contains(text, "expected at most "));
}

TEST_CASE("options that do not exist are refused") {
  CHECK(contains(refusal(kSmall, {.config = "huge"}), "configuration, found huge"));
  CHECK(contains(refusal(kSmall, {.format = "int3"}), "weight format, found int3, expected one of int8, int8c, mxfp4, mxint8"));
  CHECK(contains(refusal(kSmall, {.format_of = {"ffn=int9"}}), "weight format, found int9, expected one of int8, int8c, mxfp4, mxint8"));
  const std::string stray = refusal(kSmall, {.format_of = {"blk.7.=int8c"}});
  CHECK(contains(stray, "matrices named by the format rule blk.7.=int8c, found none"));
  CHECK(contains(stray, "blk.0.ffn_down"));
  CHECK(contains(refusal(kSmall, {.format_of = {"ffn_up=int8c"}}), "format of ffn_up in layer 0, found int8c, expected int8 like its ffn_gate"));
  CHECK(contains(refusal(kSmall, {.format_of = {"ffn"}}), "format rule, found ffn, expected NAME=FORMAT"));
  CHECK(contains(refusal(kSmall, {.disabled = {"lower"}}), "pass to leave out, found lower"));
}

TEST_CASE("formats by name mix in one model") {
  const CompileOptions mixed{.format = "int8", .format_of = {"ffn=mxfp4", "ffn_down=int8"}};
  const Program a = compile(import::synthetic_llama(kSmall, 1), mixed).program;
  const Program b = compile(import::synthetic_llama(kSmall, 1), {}).program;
  const Program c = compile(import::synthetic_llama(kSmall, 1), {.format = "mxfp4"}).program;
  CHECK(a.window_bytes[0] < b.window_bytes[0]);
  CHECK(c.window_bytes[0] < a.window_bytes[0]);
}

TEST_CASE("int8c weighs 32 bytes where int8 weighs 34, and the program says which matrices have it") {
  const LlamaHyper h{.layers = 2, .width = 256, .heads = 4, .kv_heads = 4, .ffn = 512, .context = 64, .vocab = 512};
  const auto abi = [&](const std::string& format, std::vector<std::string> rules = {}) {
    return nlohmann::json::parse(compile(import::synthetic_llama(h, 1), {.format = format, .format_of = std::move(rules)}).program.abi);
  };
  const double weights = 2 * (4.0 * 256 * 256 + 3 * 256 * 512) + 256 * 512, channels = 2 * (5 * 256 + 2 * 512) + 512;
  CHECK(abi("int8").at("weight_stream_bytes").get<double>() == weights * 34 / 32);
  CHECK(abi("int8c").at("weight_stream_bytes").get<double>() == weights + channels * 4);
  CHECK(abi("int8", {"output=int8c"}).at("formats").at("int8c").at("matrices") == 1);  // not attn_output
  CHECK(abi("int8c").at("formats") == nlohmann::json::parse(R"({"int8c": {"matrices": 15, "weights": 1441792}})"));
  const auto mixed = abi("int8", {"blk.1.ffn=int8c", "output=int8c", "attn_output=mxfp4"}).at("formats");
  CHECK(mixed.at("int8c").at("matrices") == 4);
  CHECK(mixed.at("mxfp4").at("matrices") == 2);
  CHECK(mixed.at("int8").at("matrices") == 9);
}

TEST_CASE("the same model gives the same program, and its map covers the code") {
  const Program a = compile(import::synthetic_llama(kSmall, 1), {}).program, b = compile(import::synthetic_llama(kSmall, 1), {}).program;
  CHECK(a == b);
  for (std::uint32_t pc = a.map.front().first; pc < a.code.size(); ++pc) {
    CAPTURE(pc);
    CHECK(a.at(pc) != nullptr);
  }
}

TEST_CASE("heads that do not divide are refused") {
  CHECK(contains(refusal(with(&LlamaHyper::kv_heads, 3), {}), "heads, found 4 with 3 KV heads"));
}
