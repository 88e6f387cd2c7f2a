// Byte-level tokenizers against the Python package tokenizers (tests/models/golden/make_tokenizers.py).
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "error.hpp"
#include "tokenizer.hpp"

using namespace jogak;

namespace {

const nlohmann::json& goldens() {
  static const nlohmann::json all = [] {
    std::ifstream in("tests/models/golden/tokenizers.json");
    REQUIRE(in.good());
    return nlohmann::json::parse(in);
  }();
  return all;
}

TokenizerData data(const nlohmann::json& g) {
  TokenizerData d;
  g.at("tokens").get_to(d.tokens);
  g.at("types").get_to(d.types);
  d.add_bos = d.add_space_prefix = false;
  d.model = "gpt2";
  g.at("pre").get_to(d.pre);
  g.at("merges").get_to(d.merges);
  d.whole_words = d.pre == "llama-bpe";
  d.compose = d.pre == "qwen2";
  return d;
}

std::vector<std::string> cut(const char* pattern, const std::string& text) {
  std::vector<std::string> out;
  for (const auto w : words(word_pattern(pattern), text)) out.emplace_back(w);
  return out;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("every pattern: the golden ids") {
  int cases = 0;
  for (const auto& g : goldens()) {
    const Tokenizer t(data(g));
    for (const auto& c : g.at("cases")) {
      const std::string pre = g.at("pre"), text = c.at("text");
      CAPTURE(pre);
      CAPTURE(text);
      CHECK(t.encode(text) == c.at("ids").get<std::vector<int>>());
      ++cases;
    }
  }
  CHECK(cases > 100);
}

TEST_CASE("back to text: the same, but for what NFC composes") {
  for (const auto& g : goldens()) {
    const Tokenizer t(data(g));
    for (const auto& c : g.at("cases")) {
      const std::string pre = g.at("pre"), text = c.at("text");
      CAPTURE(pre);
      CHECK(t.decode(t.encode(text)) == (pre == "qwen2" ? composed(text) : text));
    }
  }
}

TEST_CASE("words, cut by hand") {
  CHECK(cut("gpt-2", "I'LL  go,  'll 42!") == Texts{"I", "'", "LL", " ", " go", ",", " ", " '", "ll", " 42", "!"});
  CHECK(cut("llama-bpe", "I'LL  go\n\n 12345 (x)\n") == Texts{"I", "'LL", " ", " go", "\n\n", " ", "123", "45", " (", "x", ")\n"});
  CHECK(cut("qwen2", "a12 \n b") == Texts{"a", "1", "2", " \n", " b"});
  CHECK(cut("default", "x==12345 a-b") == Texts{"x", "==", "123", "45", " a", "-", "b"});
  CHECK(cut("llama-bpe", "a\xff\xfe b") == Texts{"a", "\xff\xfe", " b"});
  CHECK(cut("smollm", "a 12 b3") == Texts{"a", " ", "1", "2", " b", "3"});
  CHECK(cut("gpt-2", "").empty());
}

TEST_CASE("all bytes go through and come back") {
  std::string all;
  for (int b = 0; b < 256; ++b) all += static_cast<char>(b);
  for (const auto& g : goldens()) {
    const Tokenizer t(data(g));
    std::string back;
    for (const int id : t.encode(all)) back += t.piece(id);
    CHECK(back == all);
  }
}

TEST_CASE("control tokens never come from text, user-defined ones do, the longest first, more tokens may end a text") {
  TokenizerData d = data(goldens().at(0));
  d.tokens.push_back("<tool>s");
  d.types.push_back(4);
  d.ends = {3};
  d.eos = 5;
  const Tokenizer t(d);
  const int last = t.size() - 1;
  CHECK(t.encode("<tool>s<tool>") == std::vector<int>{last, last - 2});
  for (const int id : t.encode("<|end|>")) CHECK(d.types[static_cast<std::size_t>(id)] == 1);
  CHECK(t.piece(last) == "<tool>s");
  CHECK(t.piece(last - 3).empty());
  CHECK((t.ends(3) && t.ends(5)));
  CHECK_FALSE((t.ends(4) || t.ends(-1)));
}

TEST_CASE("what is unknown or does not fit together is refused by name") {
  TokenizerData d = data(goldens().at(0));
  d.pre = "dingdong";
  CHECK_THROWS_WITH_AS(Tokenizer{d}, "tokenizer: pre-tokenizer, found dingdong, expected default, gpt-2, gpt-4o, llama-bpe, qwen2 or smollm", Error);
  d = data(goldens().at(0));
  d.merges.push_back("qqq zzz");
  CHECK_THROWS_WITH_AS(Tokenizer{d}, doctest::Contains("merge qqq zzz"), Error);
  d = data(goldens().at(0));
  d.merges.push_back("qqq");
  CHECK_THROWS_WITH_AS(Tokenizer{d}, doctest::Contains("two parts"), Error);
  d = data(goldens().at(0));
  d.model = "rwkv";
  CHECK_THROWS_WITH_AS(Tokenizer{d}, "tokenizer: model, found rwkv, expected llama or gpt2", Error);
  d = data(goldens().at(0));
  d.ends = {100000};
  CHECK_THROWS_AS(Tokenizer{d}, Error);
}
