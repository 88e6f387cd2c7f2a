#include "byte_merges.hpp"

#include <queue>

#include "error.hpp"
#include "utf8.hpp"

namespace jogak {
namespace {

// Bytes that print stand for themselves, the others for U+0100 and on, in order.
bool prints(int b) { return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae; }

// Byte of each code point below 0x144, -1 for those that stand for none.
std::array<int, 0x144> letters() {
  std::array<int, 0x144> of{};
  of.fill(-1);
  std::size_t next = 0x100;
  for (int b = 0; b < 256; ++b) of[prints(b) ? static_cast<std::size_t>(b) : next++] = b;
  return of;
}

std::uint64_t key(int left, int right) { return std::uint64_t(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right); }

struct Symbol {
  int token, prev, next;  // token -1: merged away
};
struct Pair {
  int rank, left, right, left_token, right_token;  // the tokens tell a pair that has changed since
  bool operator<(const Pair& b) const { return rank > b.rank || (rank == b.rank && left > b.left); }
};

}  // namespace

std::string plain_bytes(const std::string& token) {
  static const auto of = letters();
  std::string out;
  for (std::string_view rest = token; !rest.empty();) {
    const Scan s = scan(rest);
    const std::int32_t point = s.good ? code_point(rest, s.length) : -1;
    if (point < 0 || point >= static_cast<std::int32_t>(of.size()) || of[static_cast<std::size_t>(point)] < 0) return token;
    out += static_cast<char>(of[static_cast<std::size_t>(point)]);
    rest.remove_prefix(s.length);
  }
  return out;
}

ByteMerges::ByteMerges(const std::vector<std::string>& merges, const std::unordered_map<std::string, int>& ids) : ids_(ids) {
  const auto token = [&](const std::string& bytes, const std::string& merge) {
    const auto it = ids_.find(bytes);
    if (it == ids_.end()) throw Error("tokenizer", "merge " + merge, "a part or a result that is no token", "tokens of the vocabulary");
    return it->second;
  };
  for (int b = 0; b < 256; ++b) {
    const auto it = ids_.find(std::string(1, static_cast<char>(b)));
    bytes_[static_cast<std::size_t>(b)] = it == ids_.end() ? -1 : it->second;
  }
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const std::size_t space = merges[i].find(' ', 1);
    if (space == std::string::npos) throw Error("tokenizer", "merge " + std::to_string(i), merges[i], "two parts with a space between");
    const std::string left = plain_bytes(merges[i].substr(0, space)), right = plain_bytes(merges[i].substr(space + 1));
    const int l = token(left, merges[i]), r = token(right, merges[i]);
    merges_.try_emplace(key(l, r), Merge{static_cast<int>(i), token(left + right, merges[i])});
  }
}

const ByteMerges::Merge* ByteMerges::find(int left, int right) const {
  const auto it = merges_.find(key(left, right));
  return it == merges_.end() ? nullptr : &it->second;
}

void ByteMerges::encode(std::string_view word, bool whole, int unk, std::vector<int>& out) const {
  if (whole)
    if (const auto it = ids_.find(std::string(word)); it != ids_.end()) {
      out.push_back(it->second);
      return;
    }
  std::vector<Symbol> symbols;
  for (const char c : word) {
    const int byte = bytes_[static_cast<unsigned char>(c)], token = byte >= 0 ? byte : unk, i = static_cast<int>(symbols.size());
    if (token >= 0) symbols.push_back({token, i - 1, i + 1});
  }
  if (symbols.empty()) return;
  symbols.back().next = -1;
  const auto at = [&](int i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };
  std::priority_queue<Pair> pairs;
  const auto consider = [&](int left) {
    if (left < 0 || at(left).next < 0) return;
    const int right = at(left).next;
    if (const Merge* m = find(at(left).token, at(right).token)) pairs.push({m->rank, left, right, at(left).token, at(right).token});
  };
  for (int i = 0; i < static_cast<int>(symbols.size()); ++i) consider(i);
  while (!pairs.empty()) {
    const Pair p = pairs.top();
    pairs.pop();
    Symbol &l = at(p.left), &r = at(p.right);
    if (l.token != p.left_token || r.token != p.right_token || l.next != p.right) continue;
    l.token = find(p.left_token, p.right_token)->token;
    r.token = -1;
    l.next = r.next;
    if (r.next >= 0) at(r.next).prev = p.left;
    consider(l.prev);
    consider(p.left);
  }
  for (const Symbol& s : symbols)
    if (s.token >= 0) out.push_back(s.token);
}

}  // namespace jogak
