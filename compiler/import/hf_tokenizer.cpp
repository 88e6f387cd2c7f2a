#include <algorithm>

#include "hf.hpp"
#include "json_file.hpp"

namespace jogak::import {
namespace {

const std::string kFile = "tokenizer.json";
const std::string kSpace = "\xe2\x96\x81";  // U+2581

const std::string kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const std::string kDigit = R"(\p{N})";
std::string newer(const std::string& numbers) {
  return R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)" + numbers + R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
}

// Capitals then small letters, or capitals alone, each with what may stand before and behind.
const std::string kBegin = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])", kEnd = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])", kBefore = R"([^\r\n\p{L}\p{N}]?)",
                  kBehind = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)";
const std::string kGpt4o = kBefore + kBegin + "*" + kEnd + "+" + kBehind + kBefore + kBegin + "+" + kEnd + "*" + kBehind +
                           R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Parts of a Sequence, or the one thing itself; none for null.
std::vector<Json> parts(const Json& j, const char* list) {
  if (j.is_null()) return {};
  if (optional_key<std::string>(kFile, j, "type") != "Sequence") return {j};
  return need_key<std::vector<Json>>(kFile, j, list);
}
Json member(const Json& j, const char* key) { return j.contains(key) ? j[key] : Json(); }
std::string type_of(const Json& j) { return j.is_object() ? optional_key<std::string>(kFile, j, "type").value_or("none") : "none"; }

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : json_(read_json_file(file)), model_(need_key<Json>(kFile, json_, "model")) {}

  ir::Vocabulary read() {
    const std::string type = type_of(model_) == "none" && model_.contains("merges") ? "BPE" : type_of(model_);
    if (type != "BPE") throw Error(kFile, "model", type, "BPE");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (const auto text = optional_key<std::string>(kFile, model_, key); text && !text->empty()) throw Error(kFile, key, *text, "none");
    v_.add_bos = v_.add_space_prefix = false;
    tokens();
    const bool fallback = optional_key<bool>(kFile, model_, "byte_fallback").value_or(false);
    if (fallback) scored();
    else byte_level();
    begin();
    return std::move(v_);
  }

 private:
  void put(const std::string& token, std::int64_t id, std::int32_t type) {
    if (id < 0 || id > (1 << 24)) throw Error(kFile, "id of token " + token, std::to_string(id), "0 to 16777216");
    const auto i = static_cast<std::size_t>(id);
    if (i >= v_.tokens.size()) v_.tokens.resize(i + 1), v_.types.resize(i + 1, 5);  // 5: unused
    v_.tokens[i] = token;
    v_.types[i] = type;
  }
  void tokens() {
    for (const auto& [token, id] : need_key<std::map<std::string, std::int64_t>>(kFile, model_, "vocab")) put(token, id, 1);
    for (const Json& added : optional_key<std::vector<Json>>(kFile, json_, "added_tokens").value_or(std::vector<Json>()))
      put(need_key<std::string>(kFile, added, "content"), need_key<std::int64_t>(kFile, added, "id"), optional_key<bool>(kFile, added, "special").value_or(false) ? 3 : 4);
    if (const auto unk = optional_key<std::string>(kFile, model_, "unk_token")) {
      v_.unk = find(*unk);
      v_.types[static_cast<std::size_t>(v_.unk)] = 2;
    }
    for (const Json& m : optional_key<std::vector<Json>>(kFile, model_, "merges").value_or(std::vector<Json>())) {
      const bool pair = m.is_array() && m.size() == 2 && m[0].is_string() && m[1].is_string();
      if (!pair && !m.is_string()) throw Error(kFile, "merge", m.dump().substr(0, 80), "two texts");
      v_.merges.push_back(pair ? m[0].get<std::string>() + " " + m[1].get<std::string>() : m.get<std::string>());
    }
  }
  int find(const std::string& token) const {
    const auto it = std::find(v_.tokens.begin(), v_.tokens.end(), token);
    if (it == v_.tokens.end()) throw Error(kFile, "token " + token, "nothing", "a token of the vocabulary");
    return static_cast<int>(it - v_.tokens.begin());
  }

  void byte_level() {
    v_.model = "gpt2";
    v_.whole_words = optional_key<bool>(kFile, model_, "ignore_merges").value_or(false);
    for (const Json& n : parts(member(json_, "normalizer"), "normalizers")) {
      if (type_of(n) != "NFC") throw Error(kFile, "normalizer", type_of(n), "NFC or none");
      v_.compose = true;
    }
    std::vector<std::string> patterns;
    bool level = false;
    for (const Json& p : parts(member(json_, "pre_tokenizer"), "pretokenizers")) {
      if (type_of(p) == "Digits" && !level && optional_key<bool>(kFile, p, "individual_digits").value_or(false)) {
        patterns.push_back(kDigit);
      } else if (type_of(p) == "Split" && !level) {
        patterns.push_back(split(p));
      } else if (type_of(p) == "ByteLevel" && !level) {
        level = true;
        if (optional_key<bool>(kFile, p, "add_prefix_space").value_or(true)) throw Error(kFile, "add_prefix_space", "true", "false");
        if (optional_key<bool>(kFile, p, "use_regex").value_or(true)) patterns.push_back(kGpt2);
      } else {
        throw Error(kFile, "pre-tokenizer", type_of(p), "Split or single Digits, then ByteLevel");
      }
    }
    if (!level) throw Error(kFile, "pre-tokenizer", "none of type ByteLevel", "one, or a model with byte_fallback");
    v_.pre = named(patterns);
  }
  static std::string split(const Json& p) {
    const Json pattern = need_key<Json>(kFile, p, "pattern");
    if (optional_key<std::string>(kFile, p, "behavior") != "Isolated" || optional_key<bool>(kFile, p, "invert").value_or(false))
      throw Error(kFile, "Split", p.dump().substr(0, 120), "behavior Isolated, not inverted");
    return need_key<std::string>(kFile, pattern, "Regex");
  }
  static std::string named(const std::vector<std::string>& patterns) {
    if (patterns == std::vector{kGpt2}) return "gpt-2";
    if (patterns == std::vector{newer(R"(\p{N}{1,3})")}) return "llama-bpe";
    if (patterns == std::vector{newer(kDigit)}) return "qwen2";
    if (patterns == std::vector<std::string>{kGpt4o}) return "gpt-4o";
    if (patterns == std::vector{kDigit, kGpt2}) return "smollm";
    if (patterns == std::vector<std::string>{R"([\p{P}\$\+<=>\^~\|]+)", kGpt2, R"(\p{N}+)", "[0-9][0-9][0-9]"}) return "default";
    throw Error(kFile, "pre-tokenizer", patterns.empty() ? "no pattern" : patterns.front(), "the patterns of gpt-2, gpt-4o, llama-bpe, qwen2, smollm or default");
  }

  // Byte fallback: spaces are U+2581; the order of the merges becomes scores of the tokens that they make.
  void scored() {
    v_.model = "llama";
    bool marked = false;
    for (const Json& n : parts(member(json_, "normalizer"), "normalizers")) {
      if (type_of(n) == "Prepend" && optional_key<std::string>(kFile, n, "prepend") == kSpace) v_.add_space_prefix = true;
      else if (type_of(n) == "Replace" && n == Json{{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpace}}) marked = true;
      else throw Error(kFile, "normalizer", type_of(n), "Prepend and Replace of spaces by U+2581");
    }
    const Json pre = member(json_, "pre_tokenizer");
    if (type_of(pre) == "Metaspace") {
      const std::string scheme = optional_key<std::string>(kFile, pre, "prepend_scheme").value_or("always");
      if (optional_key<bool>(kFile, pre, "split").value_or(true) || marked) throw Error(kFile, "Metaspace", pre.dump(), "split false, and no Replace");
      v_.add_space_prefix = scheme != "never", marked = true;
    } else if (!pre.is_null() && !(marked && type_of(pre) == "Split" && member(pre, "pattern") == Json{{"String", " "}})) {  // Gemma's: none are left
      throw Error(kFile, "pre-tokenizer", type_of(pre), "none, Metaspace or a Split at spaces with byte_fallback");
    }
    if (!marked) throw Error(kFile, "normalizer", "none that marks spaces", "Replace of spaces by U+2581");
    std::map<std::string, float> made;
    for (std::size_t i = 0; i < v_.merges.size(); ++i) {
      const std::size_t space = v_.merges[i].find(' ', 1);
      if (space == std::string::npos) throw Error(kFile, "merge", v_.merges[i], "two texts");
      made.try_emplace(v_.merges[i].substr(0, space) + v_.merges[i].substr(space + 1), -static_cast<float>(i));
    }
    v_.merges.clear();
    for (std::size_t i = 0; i < v_.tokens.size(); ++i) {
      const std::string& t = v_.tokens[i];
      const auto it = made.find(t);
      v_.scores.push_back(it != made.end() ? it->second : -1e9f);
      if (t.size() == 6 && t.starts_with("<0x") && t.back() == '>') v_.types[i] = 6;
    }
  }

  // A template that puts a special token before the text.
  void begin() {
    for (const Json& p : parts(member(json_, "post_processor"), "processors")) {
      if (type_of(p) != "TemplateProcessing") continue;
      const auto single = need_key<std::vector<Json>>(kFile, p, "single");
      if (single.empty() || !single.front().contains("SpecialToken")) continue;
      v_.bos = find(need_key<std::string>(kFile, single.front()["SpecialToken"], "id"));
      v_.add_bos = true;
    }
  }

  Json json_, model_;
  ir::Vocabulary v_;
};

}  // namespace

ir::Vocabulary read_hf_tokenizer(const std::filesystem::path& file) { return Reader(file).read(); }

std::string read_chat_template(const std::filesystem::path& folder) {
  if (std::ifstream in(folder / "chat_template.jinja", std::ios::binary); in) return std::string(std::istreambuf_iterator<char>(in), {});
  const std::string file = "tokenizer_config.json", key = "chat_template";
  if (!std::filesystem::exists(folder / file)) return {};
  const Json config = read_json_file(folder / file);
  const auto it = config.find(key);
  if (it == config.end() || !it->is_array()) return optional_key<std::string>(file, config, key.c_str()).value_or("");
  for (const Json& named : *it)
    if (named.is_object() && optional_key<std::string>(file, named, "name") == "default") return need_key<std::string>(file, named, "template");
  throw Error(file, key, std::to_string(it->size()) + " templates", "one of them named default");
}

}  // namespace jogak::import
