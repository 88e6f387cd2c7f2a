#include "tokenizer.hpp"

#include <algorithm>
#include <queue>

#include "error.hpp"
#include "utf8.hpp"

namespace jogak {
namespace {

const std::string kSpace = "\xe2\x96\x81";        // U+2581
const std::string kReplacement = "\xef\xbf\xbd";  // U+FFFD

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

// The byte of a token <0xNN>, -1 for another text.
int byte_of(const std::string& token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  const std::size_t high = std::string("0123456789ABCDEF").find(token[3]), low = std::string("0123456789ABCDEF").find(token[4]);
  return high == std::string::npos || low == std::string::npos ? -1 : static_cast<int>(high * 16 + low);
}

enum Type { kNormal = 1, kUnknown = 2, kControl = 3, kUser = 4, kByte = 6 };

// Symbols as a linked list: merging removes the right one.
struct Symbol {
  std::string text;
  int prev, next;
};
struct Pair {
  float score;
  int left, right;
  std::size_t size;  // of both texts, to recognise a pair that has changed since
  bool operator<(const Pair& b) const { return score < b.score || (score == b.score && left > b.left); }
};

}  // namespace

Tokenizer::Tokenizer(TokenizerData data) : data_(std::move(data)), bytes_(256, -1) {
  const std::size_t n = data_.tokens.size();
  if (data_.types.empty()) data_.types.assign(n, kNormal);
  if (data_.scores.empty()) data_.scores.assign(n, 0.0f);
  check();
  if (data_.model == "gpt2") read_byte_level();
  else read_scored();
}

void Tokenizer::read_scored() {
  for (std::size_t i = 0; i < data_.tokens.size(); ++i) {
    const std::string& token = data_.tokens[i];
    const int type = data_.types[i], byte = type == kByte ? byte_of(token) : -1;
    if (byte >= 0) bytes_[static_cast<std::size_t>(byte)] = static_cast<int>(i);
    if (type == kNormal || type == kUser) ids_[token] = static_cast<int>(i);
    pieces_.push_back(byte >= 0 ? std::string(1, static_cast<char>(byte)) : type == kControl || type == kUnknown ? "" : replaced(token, kSpace, " "));
  }
}

void Tokenizer::check() const {
  const std::size_t n = data_.tokens.size();
  if (n == 0) throw Error("tokenizer", "vocabulary", "no tokens", "at least one");
  if (data_.types.size() != n || data_.scores.size() != n)
    throw Error("tokenizer", "vocabulary", std::to_string(data_.scores.size()) + " scores, " + std::to_string(data_.types.size()) + " types",
                std::to_string(n) + " of each");
  std::vector<int> special = data_.ends;
  special.insert(special.end(), {data_.bos, data_.eos, data_.unk});
  for (const int id : special)
    if (id < -1 || id >= static_cast<int>(n)) throw Error("tokenizer", "special token", std::to_string(id), "below " + std::to_string(n));
  if (data_.model != "llama" && data_.model != "gpt2") throw Error("tokenizer", "model", data_.model, "llama or gpt2");
}

void Tokenizer::read_byte_level() {
  pattern_ = word_pattern(data_.pre);
  for (std::size_t i = 0; i < data_.tokens.size(); ++i) {
    const int type = data_.types[i], id = static_cast<int>(i);
    const std::string& token = data_.tokens[i];
    pieces_.push_back(type == kControl || type == kUnknown ? "" : type == kUser ? token : plain_bytes(token));
    if (type == kNormal || type == kByte) ids_[pieces_.back()] = id;
    if (type == kUser && !token.empty()) user_.emplace_back(token, id);
  }
  std::stable_sort(user_.begin(), user_.end(), [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  merges_ = ByteMerges(data_.merges, ids_);
}

bool Tokenizer::ends(int id) const {
  return id >= 0 && (id == data_.eos || std::find(data_.ends.begin(), data_.ends.end(), id) != data_.ends.end());
}

int Tokenizer::control(std::string_view text) const {
  for (std::size_t i = 0; i < data_.tokens.size(); ++i)
    if ((data_.types[i] == kControl || data_.types[i] == kUser) && data_.tokens[i] == text) return static_cast<int>(i);
  return -1;
}

void Tokenizer::spell(std::string_view symbol, std::vector<int>& ids) const {
  for (const char c : symbol) {
    const int id = bytes_[static_cast<unsigned char>(c)];
    if (id >= 0) ids.push_back(id);
    else if (data_.unk >= 0) ids.push_back(data_.unk);
  }
}

std::vector<int> Tokenizer::encode(std::string_view text, bool bos) const {
  std::vector<int> ids;
  if (bos && data_.bos >= 0) ids.push_back(data_.bos);
  if (text.empty()) return ids;
  if (data_.model == "llama") {
    merge_scored(text, ids);
    return ids;
  }
  std::size_t from = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const auto user = std::find_if(user_.begin(), user_.end(), [&](const auto& u) { return text.substr(at).starts_with(u.first); });
    if (user == user_.end() && at < text.size()) {
      ++at;
      continue;
    }
    merge_words(text.substr(from, at - from), ids);
    if (at == text.size()) break;
    ids.push_back(user->second);
    from = at += user->first.size();
  }
  return ids;
}

void Tokenizer::merge_words(std::string_view text, std::vector<int>& ids) const {
  const std::string normal = data_.compose ? composed(std::string(text)) : std::string(text);
  for (const std::string_view word : words(pattern_, normal)) merges_.encode(word, data_.whole_words, data_.unk, ids);
}

void Tokenizer::merge_scored(std::string_view text, std::vector<int>& ids) const {
  const std::string marked = replaced((data_.add_space_prefix ? " " : "") + std::string(text), " ", kSpace);

  std::vector<Symbol> symbols;
  for (std::string_view rest = marked; !rest.empty();) {
    const Scan s = scan(rest);
    const std::size_t length = s.good ? s.length : 1;
    const int i = static_cast<int>(symbols.size());
    symbols.push_back({std::string(rest.substr(0, length)), i - 1, i + 1});
    rest.remove_prefix(length);
  }
  symbols.back().next = -1;

  std::priority_queue<Pair> pairs;
  const auto consider = [&](int left) {
    if (left < 0) return;
    const auto& l = symbols[static_cast<std::size_t>(left)];
    if (l.next < 0) return;
    const std::string joint = l.text + symbols[static_cast<std::size_t>(l.next)].text;
    if (const auto it = ids_.find(joint); it != ids_.end())
      pairs.push({data_.scores[static_cast<std::size_t>(it->second)], left, l.next, joint.size()});
  };
  for (int i = 0; i + 1 < static_cast<int>(symbols.size()); ++i) consider(i);
  while (!pairs.empty()) {
    const Pair p = pairs.top();
    pairs.pop();
    Symbol& l = symbols[static_cast<std::size_t>(p.left)];
    Symbol& r = symbols[static_cast<std::size_t>(p.right)];
    if (l.text.empty() || r.text.empty() || l.next != p.right || l.text.size() + r.text.size() != p.size) continue;
    l.text += r.text;
    r.text.clear();
    l.next = r.next;
    if (r.next >= 0) symbols[static_cast<std::size_t>(r.next)].prev = p.left;
    consider(l.prev);
    consider(p.left);
  }
  for (const Symbol& s : symbols) {
    if (s.text.empty()) continue;
    if (const auto it = ids_.find(s.text); it != ids_.end()) ids.push_back(it->second);
    else spell(s.text, ids);
  }
}

std::string Tokenizer::decode(const std::vector<int>& ids) const {
  Detokenizer stream(*this);
  std::string text;
  for (const int id : ids) text += stream.put(id);
  return text + stream.finish();
}

std::string Detokenizer::put(int id) {
  held_ += tokenizer_.piece(id);
  return take(false);
}
std::string Detokenizer::finish() { return take(true); }

std::string Detokenizer::take(bool all) {
  std::string out;
  while (!held_.empty()) {
    const Scan s = scan(held_);
    if (s.cut && !all) break;
    if (!s.good) out += kReplacement;
    else if (!(at_start_ && held_[0] == ' ')) out += held_.substr(0, s.length);
    at_start_ = false;
    held_.erase(0, s.length);
  }
  return out;
}

}  // namespace jogak
