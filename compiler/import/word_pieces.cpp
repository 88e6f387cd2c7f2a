#include "word_pieces.hpp"

#include <algorithm>
#include <fstream>

#include "error.hpp"
#include "gguf_file.hpp"
#include "json_file.hpp"

namespace jogak::import {
namespace {

namespace fs = std::filesystem;
using encoder::Words;
const std::string kFile = "tokenizer.json";
const std::string kMark = "\xe2\x96\x81";  // U+2581

int find(const Words& w, const std::string& token) {
  const auto it = std::find(w.tokens.begin(), w.tokens.end(), token);
  return it == w.tokens.end() ? -1 : static_cast<int>(it - w.tokens.begin());
}

std::string type_of(const Json& j, const char* key) {
  const auto it = j.find(key);
  return it == j.end() || !it->is_object() ? "none" : optional_key<std::string>(kFile, *it, "type").value_or("none");
}

void put(Words& w, const std::string& token, std::int64_t id) {
  if (id < 0 || id > (1 << 24)) throw Error(kFile, "id of token " + token, std::to_string(id), "0 to 16777216");
  if (static_cast<std::size_t>(id) >= w.tokens.size()) w.tokens.resize(static_cast<std::size_t>(id) + 1);
  w.tokens[static_cast<std::size_t>(id)] = token;
}

void normalizer(const Json& j, Words& w) {
  if (type_of(j, "normalizer") != "BertNormalizer") throw Error(kFile, "normalizer", type_of(j, "normalizer"), "BertNormalizer");
  const Json& n = j["normalizer"];
  const auto flag = [&](const char* key, bool otherwise) { return optional_key<bool>(kFile, n, key).value_or(otherwise); };
  w.clean = flag("clean_text", true), w.split_ideographs = flag("handle_chinese_chars", true), w.lowercase = flag("lowercase", true);
  w.strip_accents = n.contains("strip_accents") && n["strip_accents"].is_null() ? w.lowercase : flag("strip_accents", w.lowercase);
}

// cls and sep as the template of one text has them: a token before it, one behind it.
void around(const Json& j, Words& w) {
  const std::string type = type_of(j, "post_processor");
  w.cls = w.sep = -1;
  if (type == "none") return;
  const Json& p = j["post_processor"];
  const auto id = [&](const std::string& token) {
    const int found = find(w, token);
    if (found < 0) throw Error(kFile, "token " + token, "nothing", "a token of the vocabulary");
    return found;
  };
  if (type == "BertProcessing") {
    const auto of = [&](const char* key) {
      const auto pair = need_key<std::vector<Json>>(kFile, p, key);
      if (pair.empty() || !pair[0].is_string()) throw Error(kFile, key, p[key].dump().substr(0, 80), "a token and its id");
      return id(pair[0].get<std::string>());
    };
    w.cls = of("cls"), w.sep = of("sep");
    return;
  }
  if (type != "TemplateProcessing") throw Error(kFile, "post_processor", type, "BertProcessing or TemplateProcessing");
  bool text = false;
  for (const Json& part : need_key<std::vector<Json>>(kFile, p, "single")) {
    const bool special = part.contains("SpecialToken");
    int& place = text ? w.sep : w.cls;
    if ((special && place >= 0) || (!special && text)) throw Error(kFile, "template", p["single"].dump().substr(0, 120), "a token, the text, a token");
    if (special) place = id(need_key<std::string>(kFile, part["SpecialToken"], "id"));
    else text = true;
  }
}

Words from_json(const Json& j) {
  const Json model = need_key<Json>(kFile, j, "model");
  Words w;
  for (const auto& [token, id] : need_key<std::map<std::string, std::int64_t>>(kFile, model, "vocab")) put(w, token, id);
  for (const Json& added : optional_key<std::vector<Json>>(kFile, j, "added_tokens").value_or(std::vector<Json>()))
    put(w, need_key<std::string>(kFile, added, "content"), need_key<std::int64_t>(kFile, added, "id"));
  const std::string unk = optional_key<std::string>(kFile, model, "unk_token").value_or("[UNK]");
  if (w.unk = find(w, unk); w.unk < 0) throw Error(kFile, "token " + unk, "nothing", "a token of the vocabulary");
  w.mask = find(w, "[MASK]");
  w.prefix = optional_key<std::string>(kFile, model, "continuing_subword_prefix").value_or("##");
  w.longest = optional_size(kFile, model, "max_input_chars_per_word").value_or(100);
  if (type_of(j, "pre_tokenizer") != "BertPreTokenizer") throw Error(kFile, "pre-tokenizer", type_of(j, "pre_tokenizer"), "BertPreTokenizer");
  normalizer(j, w);
  around(j, w);
  return w;
}

Words from_lines(const fs::path& folder) {
  std::ifstream in(folder / "vocab.txt");
  Words w;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    w.tokens.push_back(line);
  }
  w.unk = find(w, "[UNK]"), w.cls = find(w, "[CLS]"), w.sep = find(w, "[SEP]"), w.mask = find(w, "[MASK]");
  if (w.unk < 0) return {};  // another kind
  const fs::path config = folder / "tokenizer_config.json";
  const Json j = fs::exists(config) ? read_json_file(config) : Json::object();
  const auto flag = [&](const char* key, bool otherwise) { return optional_key<bool>("tokenizer_config.json", j, key).value_or(otherwise); };
  w.lowercase = flag("do_lower_case", true), w.split_ideographs = flag("tokenize_chinese_chars", true);
  w.strip_accents = flag("strip_accents", w.lowercase);
  return w;
}

}  // namespace

Words read_word_pieces(const fs::path& folder) {
  if (fs::exists(folder / kFile)) {
    const Json j = read_json_file(folder / kFile);
    if (type_of(j, "model") == "WordPiece") return from_json(j);
    return {};
  }
  return fs::exists(folder / "vocab.txt") ? from_lines(folder) : Words();
}

Words read_word_pieces(const GgufFile& in) {
  const auto* model = in.list<std::string>("tokenizer.ggml.model");
  const auto* tokens = in.list<GgufFile::Texts>("tokenizer.ggml.tokens");
  if (!model || *model != "bert" || !tokens) return {};
  const auto* types = in.list<GgufFile::Numbers>("tokenizer.ggml.token_type");
  Words w;
  bool capitals = false;
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    const std::string& t = (*tokens)[i];
    const bool special = types && i < types->size() ? (*types)[i] == 2 || (*types)[i] == 3 : t.size() > 2 && t.front() == '[' && t.back() == ']';
    w.tokens.push_back(special ? t : t.starts_with(kMark) ? t.substr(kMark.size()) : w.prefix + t);
    capitals |= !special && std::any_of(t.begin(), t.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  }
  const auto id = [&](const char* key, const char* token) {
    const std::string name = std::string("tokenizer.ggml.") + key + "_token_id";
    return in.has(name) ? in.integer(name, 0, static_cast<int>(w.tokens.size()) - 1) : find(w, token);
  };
  w.unk = id("unknown", "[UNK]"), w.mask = id("mask", "[MASK]");
  w.cls = in.has("tokenizer.ggml.cls_token_id") ? id("cls", "[CLS]") : id("bos", "[CLS]");
  w.sep = in.has("tokenizer.ggml.seperator_token_id") ? id("seperator", "[SEP]") : in.has("tokenizer.ggml.separator_token_id") ? id("separator", "[SEP]") : id("eos", "[SEP]");
  w.lowercase = w.strip_accents = !capitals;
  return w;
}

}  // namespace jogak::import
