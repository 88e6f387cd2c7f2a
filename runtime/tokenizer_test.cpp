#include "tokenizer.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "error.hpp"
#include "sampler.hpp"

using namespace jogak;

namespace {

const std::string kMark = "\xe2\x96\x81";

// <unk> <s> </s>, all bytes, then the pieces given, earlier ones with the higher score.
TokenizerData data(const std::vector<std::string>& pieces, bool with_bytes = true) {
  TokenizerData d;
  d.tokens = {"<unk>", "<s>", "</s>"};
  d.types = {2, 3, 3};
  d.unk = 0, d.bos = 1, d.eos = 2;
  for (int b = 0; with_bytes && b < 256; ++b) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", b);
    d.tokens.emplace_back(text);
    d.types.push_back(6);
  }
  for (const auto& p : pieces) d.tokens.push_back(p), d.types.push_back(1);
  for (std::size_t i = 0; i < d.tokens.size(); ++i) d.scores.push_back(-static_cast<float>(i));
  return d;
}

// The definition, word for word and slowly.
std::vector<int> plain_encode(const TokenizerData& d, std::vector<std::string> symbols) {
  const auto id = [&](const std::string& s) {
    for (int i = static_cast<int>(d.tokens.size()) - 1; i >= 0; --i)
      if (d.types[static_cast<std::size_t>(i)] == 1 && d.tokens[static_cast<std::size_t>(i)] == s) return i;
    return -1;
  };
  while (true) {
    int at = -1;
    float top = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const int t = id(symbols[i] + symbols[i + 1]);
      if (t >= 0 && (at < 0 || d.scores[static_cast<std::size_t>(t)] > top)) at = static_cast<int>(i), top = d.scores[static_cast<std::size_t>(t)];
    }
    if (at < 0) break;
    symbols[static_cast<std::size_t>(at)] += symbols[static_cast<std::size_t>(at) + 1];
    symbols.erase(symbols.begin() + at + 1);
  }
  std::vector<int> ids = {d.bos};
  for (const auto& s : symbols) {
    if (id(s) >= 0) ids.push_back(id(s));
    else
      for (const char c : s) ids.push_back(3 + static_cast<unsigned char>(c));
  }
  return ids;
}

}  // namespace

TEST_CASE("merging takes the best pair, then the leftmost") {
  const Tokenizer t(data({"aa", "ab", "b", "a", kMark}));
  const int aa = 259, ab = 260, a = 262, mark = 263;
  CHECK(t.encode("aab") == std::vector<int>{1, mark, aa, 261});
  CHECK(t.encode("aaa") == std::vector<int>{1, mark, aa, a});
  CHECK(t.encode("ab", false) == std::vector<int>{mark, ab});
  CHECK(t.encode("").size() == 1);
  CHECK(t.encode("", false).empty());
}

TEST_CASE("what is no piece is spelt in bytes, control tokens never come from text") {
  const Tokenizer t(data({"a", kMark}));
  CHECK(t.encode("\xc3\xa9", false) == std::vector<int>{260, 3 + 0xc3, 3 + 0xa9});
  CHECK(t.encode("\xff", false) == std::vector<int>{260, 3 + 0xff});
  CHECK(t.encode("<s>", false) == std::vector<int>{260, 3 + '<', 3 + 's', 3 + '>'});
  CHECK(t.decode(t.encode("<s> \xc3\xa9\n a")) == "<s> \xc3\xa9\n a");
  const Tokenizer none(data({"a"}, false));
  CHECK(none.encode("b", false) == std::vector<int>{0, 0, 0, 0});
}

TEST_CASE("random texts: equal to the plain definition, and back") {
  const TokenizerData d = data({"ab", "ba", "aba", kMark + "a", "bb", "abab", "a", "b", "c", kMark, "cc" + kMark});
  const Tokenizer t(d);
  std::uint64_t state = 7;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    std::vector<std::string> symbols = {kMark};
    for (int n = 1 + round % 12; n > 0; --n) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const char c = "abc d"[(state >> 40) % 5];
      text += c;
      symbols.push_back(c == ' ' ? kMark : std::string(1, c));
    }
    CAPTURE(text);
    CHECK(t.encode(text) == plain_encode(d, symbols));
    CHECK(t.decode(t.encode(text)) == text);
  }
}

TEST_CASE("streaming gives whole characters only") {
  const Tokenizer t(data({"a"}));
  Detokenizer d(t);
  CHECK(d.put(3 + 0xe2) == "");
  CHECK(d.put(3 + 0x98) == "");
  CHECK(d.put(3 + 0x83) == "\xe2\x98\x83");
  CHECK(d.put(3 + 0xe2) == "");
  CHECK(d.put(259) == "\xef\xbf\xbd" "a");
  CHECK(d.put(1) == "");
  CHECK(d.put(3 + 0xf0) == "");
  CHECK(d.finish() == "\xef\xbf\xbd");
  CHECK(d.finish() == "");
  CHECK(t.decode({3 + 0xed, 3 + 0xa0, 3 + 0x80}) == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("a vocabulary that does not fit together is refused") {
  TokenizerData d = data({"a"});
  d.scores.pop_back();
  CHECK_THROWS_AS(Tokenizer{d}, Error);
  d = data({});
  d.eos = 259;
  CHECK_THROWS_AS(Tokenizer{d}, Error);
  CHECK_THROWS_AS(Tokenizer{TokenizerData{}}, Error);
}

TEST_CASE("sampling: greedy, frequencies, top-p, refusals") {
  const std::vector<float> logits = {0.0f, 2.0f, 1.0f, 2.0f, -1e30f};
  CHECK(Sampler({}).pick(logits) == 1);
  int counts[5] = {};
  Sampler s({.temperature = 1.0f, .top_p = 1.0f, .seed = 3});
  for (int i = 0; i < 20000; ++i) ++counts[s.pick(logits)];
  const double all = 1 + 2 * 7.389056 + 2.718282;
  CHECK(counts[0] == doctest::Approx(20000 / all).epsilon(0.1));
  CHECK(counts[1] == doctest::Approx(20000 * 7.389056 / all).epsilon(0.05));
  CHECK(counts[4] == 0);
  Sampler top({.temperature = 1.0f, .top_p = 0.79f, .seed = 3});
  int seen[5] = {};
  for (int i = 0; i < 1000; ++i) ++seen[top.pick(logits)];
  CHECK((seen[1] > 0 && seen[3] > 0));
  CHECK((seen[0] == 0 && seen[2] == 0));
  CHECK_THROWS_AS(Sampler({.temperature = -1.0f}), Error);
  CHECK_THROWS_AS(Sampler({.top_p = 0.0f}), Error);
  CHECK_THROWS_AS(Sampler({.top_p = 1.5f}), Error);
}
