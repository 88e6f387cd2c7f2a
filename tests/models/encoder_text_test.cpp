// From a text to its vector: word pieces and pooling of bert, against tokenizers and transformers (make_tiny_encoders.py).
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "encoder/check.hpp"
#include "encoder/compile.hpp"
#include "encoder/reference.hpp"
#include "encoder_session.hpp"
#include "import/encoder_hf.hpp"
#include "import/word_pieces.hpp"
#include "shared.hpp"

using namespace jogak;
using tests::error;

namespace {

const std::filesystem::path kFolder = "tests/models/golden/bert_plain";

struct Text {
  std::string text;
  std::vector<std::int32_t> ids;
  std::vector<float> mean, first;
  Text() {
    const auto j = tests::read_json(kFolder / "text.json");
    text = j.at("text").get<std::string>();
    j.at("ids").get_to(ids), j.at("mean").get_to(mean), j.at("first").get_to(first);
  }
};

encoder::Encoder read(const char* file, std::optional<encoder::Pooling> pooling = {}) { return import::read_encoder(kFolder / file, {.pooling = pooling}); }

}  // namespace

TEST_CASE("bert: a text becomes the reference's ids and its vector, by GGUF's tokenizer and pooling and by the folder's") {
  const Text golden;
  for (const char* config : {"nano", "edge"})
    for (const char* file : {"model.gguf", "."})
      for (const auto pooling : {encoder::Pooling::mean, encoder::Pooling::first}) {
        const bool mean = pooling == encoder::Pooling::mean;
        const auto model = mean && std::string(file) == "model.gguf" ? read(file) : read(file, pooling);  // the file's own type is the mean
        const Program p = encoder::compile(model, config);
        EncoderSession session(p, "model");
        CHECK(session.words().encode(golden.text) == golden.ids);
        const auto& expected = mean ? golden.mean : golden.first;
        const auto meaning = encoder::reference(model, {.ids = {golden.ids.begin(), golden.ids.end()}});
        CHECK(error(std::vector<float>(meaning.begin(), meaning.end()), expected) < 1e-3);  // the reference counts with weights before they became fp16
        const EncoderResult r = session.run({.ids = golden.ids});
        CHECK(session.output() == "embedding");
        CHECK(r.rows == 1);
        INFO(config << " " << file << ": error " << error(r.values, expected));
        CHECK(error(r.values, expected) < 0.04);
        const auto checked = encoder::checked_run(p, static_cast<std::uint32_t>(golden.ids.size()),
                                                  {{"input/input_ids", encoder::bytes(golden.ids)}, {"input/token_type_ids", encoder::bytes(std::vector<std::int32_t>(golden.ids.size()))}}, "output/embedding");
        CHECK(std::memcmp(checked.data(), r.values.data(), r.columns * 4) == 0);
      }
  CHECK(EncoderSession(encoder::compile(read("."), "nano"), "model").run({.ids = golden.ids}).rows == golden.ids.size());  // the folder says nothing of pooling
}

TEST_CASE("bert: the mean of one row, of a full block and of several blocks") {
  const auto model = read("model.gguf");
  for (const char* config : {"nano", "edge"}) {
    EncoderSession session(encoder::compile(model, config), "model");
    for (const std::size_t rows : {1, 2, 25, 26, 49, 50}) {
      std::vector<std::int32_t> ids;
      for (std::size_t i = 0; i < rows; ++i) ids.push_back(static_cast<std::int32_t>(i * 7 % 40));
      const auto meaning = encoder::reference(model, {.ids = {ids.begin(), ids.end()}});
      CAPTURE(rows);
      CHECK(error(session.run({.ids = ids}).values, std::vector<float>(meaning.begin(), meaning.end())) < 0.05);
    }
  }
}

TEST_CASE("pooling and tokenizers: a folder's own files, and what is refused by name") {
  const auto folder = std::filesystem::temp_directory_path() / ("jogak_encoder_text_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "1_Pooling");
  std::filesystem::copy(kFolder, folder, std::filesystem::copy_options::recursive | std::filesystem::copy_options::skip_existing);
  const auto pooling = [&](const char* text) { std::ofstream(folder / "1_Pooling" / "config.json") << text; };
  pooling(R"({"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true})");
  CHECK(import::read_encoder(folder, {}).head.rows == encoder::HeadRows::mean);
  pooling(R"({"pooling_mode_cls_token": true})");
  CHECK(import::read_encoder(folder, {}).head.rows == encoder::HeadRows::first);
  pooling(R"({"pooling_mode_max_tokens": true})");
  CHECK_THROWS_WITH_AS((void)import::read_encoder(folder, {}), doctest::Contains("pooling_mode_max_tokens"), Error);
  pooling("{}");

  auto j = tests::read_json(folder / "tokenizer.json");
  j["normalizer"] = {{"type", "NFC"}};
  std::ofstream(folder / "tokenizer.json") << j.dump();
  EncoderSession session(encoder::compile(import::read_encoder(folder, {}), "nano"), "model");  // ids still run
  CHECK_THROWS_WITH_AS((void)session.words(), doctest::Contains("found NFC, expected BertNormalizer"), Error);

  std::filesystem::remove(folder / "tokenizer.json");
  std::ofstream(folder / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##s\r\n";
  const auto words = import::read_word_pieces(folder);
  CHECK(words.tokens.size() == 7);
  CHECK(words.tokens[6] == "##s");
  CHECK(words.lowercase);
  std::ofstream(folder / "tokenizer_config.json") << R"({"do_lower_case": false})";
  CHECK(!import::read_word_pieces(folder).lowercase);
  CHECK(!import::read_word_pieces(folder).strip_accents);
  std::ofstream(folder / "tokenizer_config.json") << R"({"do_lower_case": true, "strip_accents": false, "tokenize_chinese_chars": false})";
  const auto umlauts = import::read_word_pieces(folder);
  CHECK((umlauts.lowercase && !umlauts.strip_accents && !umlauts.split_ideographs));
  std::ofstream(folder / "tokenizer_config.json") << R"({"strip_accents": null})";
  CHECK(import::read_word_pieces(folder).strip_accents);
  std::filesystem::remove_all(folder);
  CHECK_THROWS_WITH_AS((void)import::read_encoder("tests/models/golden/bert_classes", {.pooling = encoder::Pooling::mean}), doctest::Contains("a model with a head"), Error);
}
