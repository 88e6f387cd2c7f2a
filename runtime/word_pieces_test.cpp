// Word pieces against the Python package tokenizers (tests/models/golden/make_tokenizers.py).
#include "word_pieces.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "error.hpp"

using namespace jogak;

TEST_CASE("word pieces: the golden ids, without and with capitals, accents, cleaning") {
  std::ifstream in("tests/models/golden/word_pieces.json");
  REQUIRE(in.good());
  int cases = 0;
  for (const auto& g : nlohmann::json::parse(in)) {
    const auto& json = g.at("json");
    WordPieceData d{.tokens = {}, .unk = 1, .cls = 2, .sep = 3, .mask = 4};
    d.tokens.resize(json.at("model").at("vocab").size());
    for (const auto& [token, id] : json.at("model").at("vocab").items()) d.tokens[id.get<std::size_t>()] = token;
    const auto& n = json.at("normalizer");
    d.clean = n.at("clean_text"), d.split_ideographs = n.at("handle_chinese_chars"), d.lowercase = n.at("lowercase");
    d.strip_accents = n.at("strip_accents").is_null() ? d.lowercase : n.at("strip_accents").get<bool>();
    const WordPieces words(d);
    for (const auto& c : g.at("cases")) {
      const std::string name = g.at("name"), text = c.at("text");
      CAPTURE(name);
      CAPTURE(text);
      CHECK(words.encode(text) == c.at("ids").get<std::vector<std::int32_t>>());
      ++cases;
    }
  }
  CHECK(cases > 150);
}

TEST_CASE("word pieces: bytes that are no text, special tokens that are not found, refusals") {
  const WordPieces words({.tokens = {"[UNK]", "[CLS]", "[SEP]", "a", "##b", "[", "]"}, .unk = 0, .cls = 1, .sep = 2});
  CHECK(words.encode("") == std::vector<std::int32_t>{1, 2});
  CHECK(words.encode("ab A\xff" "b") == std::vector<std::int32_t>{1, 3, 4, 3, 0, 2});
  CHECK(words.encode("[a]") == std::vector<std::int32_t>{1, 5, 3, 6, 2});
  CHECK(words.encode("[CLS]") == std::vector<std::int32_t>{1, 5, 0, 6, 2});
  CHECK_THROWS_WITH_AS(WordPieces({.tokens = {"a"}}), doctest::Contains("unknown token"), Error);
  CHECK_THROWS_WITH_AS(WordPieces({.tokens = {"a"}, .unk = 0, .cls = 1}), doctest::Contains("below 1"), Error);
}
