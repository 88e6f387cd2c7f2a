#include "batch_session.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace jogak {

using u32 = std::uint32_t;

BatchSession::BatchSession(const Program& program, const std::string& backend) : BatchSession(program, open_dies(program, backend)) {}

BatchSession::BatchSession(const Program& program, std::unique_ptr<driver::Device> device) : BatchSession(program, alone(std::move(device))) {}

BatchSession::BatchSession(const Program& program, std::vector<std::unique_ptr<driver::Device>> dies)
    : program_(without_segments(program)), lm_(read_language_model(program, true)), loaded_(std::move(dies), program, lm_.places) {
  tokens_ = need_symbol(program_, "tokens", "i32", 1);
  logits_ = need_symbol(program_, "logits", "f32", 2);
  kv_ = need_symbol(program_, "kv", "bytes", 1);
  table_ = need_symbol(program_, "table", "i32", 1);
  program_.abi.clear();
  const auto pages = static_cast<std::uint64_t>(lm_.kv.pages);
  const u32 words = 4 + 4 * static_cast<u32>(lm_.sequences + lm_.pieces) + static_cast<u32>(lm_.sequences * (lm_.info.context / lm_.kv.tokens));
  if (kv_.bytes < pages * lm_.kv_of_die.page_bytes || table_.shape[0] < words || logits_.shape[0] < static_cast<u32>(lm_.info.rows) ||
      logits_.shape[1] * loaded_.count() < static_cast<u32>(lm_.info.vocab) || tokens_.shape[0] < static_cast<u32>(lm_.info.rows))
    throw Error("batch", "sizes", "symbols too small", "room for the pages, table, tokens and logits of the launch ABI");
  loaded_.protect(0);
  free_.resize(pages);
  std::iota(free_.rbegin(), free_.rend(), 0);
}

const BatchSession::Sequence& BatchSession::at(int sequence) const {
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end()) throw Error("batch", "sequence", std::to_string(sequence), "one that was added and not removed");
  return found->second;
}

void BatchSession::refuse_sequences() const {
  if (!sequences_.empty()) throw Error("batch", "sequences while the adapter changes", std::to_string(sequences_.size()), "none: their keys are those of the old one");
}

void BatchSession::load_adapter(std::span<const std::uint8_t> image) {
  refuse_sequences();
  write_adapter(loaded_, program_, image);
  adapter_ = true;
}

void BatchSession::drop_adapter() {
  refuse_sequences();
  adapter_ = false;
}

int BatchSession::add() {
  sequences_[next_] = {};
  return next_++;
}

void BatchSession::remove(int sequence) {
  give_back(at(sequence), 0);
  sequences_.erase(sequence);
}

void BatchSession::rewind(int sequence, int tokens) {
  Sequence& s = at(sequence);
  if (tokens < 0 || tokens > static_cast<int>(s.history.size()))
    throw Error("batch", "tokens to keep", std::to_string(tokens), "0 to " + std::to_string(s.history.size()) + ", those of the sequence");
  s.history.resize(static_cast<std::size_t>(tokens));
  give_back(s, pages_for(s.history.size()));
}

std::size_t BatchSession::pages_for(std::size_t tokens) const {
  const auto page = static_cast<std::size_t>(lm_.kv.tokens);
  return (tokens + page - 1) / page;
}

// All but the first `pages`.
void BatchSession::give_back(Sequence& s, std::size_t pages) {
  while (s.pages.size() > pages) {
    free_.push_back(s.pages.back());
    s.pages.pop_back();
  }
}

void BatchSession::check(const std::vector<BatchPart>& parts) const {
  if (aborted_) throw Error("batch", "state", "an aborted launch", "resume() before more tokens");
  if (parts.empty() || static_cast<int>(parts.size()) > most())
    throw Error("batch", "sequences of a launch", std::to_string(parts.size()), "1 to " + std::to_string(most()));
  std::size_t rows = 0, pages = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Sequence& s = at(parts[i].sequence);
    for (std::size_t j = 0; j < i; ++j)
      if (parts[j].sequence == parts[i].sequence) throw Error("batch", "sequence " + std::to_string(parts[i].sequence), "twice in one launch", "once");
    if (parts[i].ids.empty()) throw Error("batch", "tokens of sequence " + std::to_string(parts[i].sequence), "none", "at least one");
    for (const int id : parts[i].ids)
      if (id < 0 || id >= lm_.info.vocab) throw Error("batch", "token", std::to_string(id), "0 to " + std::to_string(lm_.info.vocab - 1));
    const std::size_t after = s.history.size() + parts[i].ids.size();
    if (after > static_cast<std::size_t>(lm_.info.context))
      throw Error("batch", "length of sequence " + std::to_string(parts[i].sequence), std::to_string(after) + " tokens", "at most the context of " + std::to_string(lm_.info.context));
    rows += parts[i].ids.size();
    pages += pages_for(after) - s.pages.size();
  }
  if (rows > static_cast<std::size_t>(lm_.info.rows))
    throw Error("batch", "rows of a launch", std::to_string(rows), "at most " + std::to_string(lm_.info.rows));
  if (pages > free_.size())
    throw Error("batch", "pages of the KV cache", std::to_string(free_.size()) + " free", std::to_string(pages) + " (remove a sequence, or compile with more --kv-tokens)");
}

void BatchSession::take_pages(const std::vector<BatchPart>& parts) {
  for (const BatchPart& p : parts) {
    Sequence& s = at(p.sequence);
    while (s.pages.size() < pages_for(s.history.size() + p.ids.size())) {
      s.pages.push_back(free_.back());
      free_.pop_back();
    }
  }
}

// As compiler/schedule/sequences.cpp says.
std::vector<u32> BatchSession::table(const std::vector<const BatchPart*>& order) const {
  const std::size_t count = order.size(), page = static_cast<std::size_t>(lm_.kv.tokens);
  std::vector<u32> entries, pieces, pages;
  const std::size_t lists = 4 + 4 * static_cast<std::size_t>(lm_.sequences + lm_.pieces);
  std::size_t row = 0;
  for (const BatchPart* p : order) {
    const Sequence& s = at(p->sequence);
    const std::size_t rows = p->ids.size(), position = s.history.size();
    for (const std::size_t word : {position, rows, row, lists + pages.size()}) entries.push_back(static_cast<u32>(word));
    for (std::size_t done = 0; done < rows;) {
      const std::size_t token = (position + done) % page, now = std::min(rows - done, page - token);
      const auto at_page = static_cast<std::size_t>(s.pages[(position + done) / page]) * lm_.kv_of_die.page_bytes;
      for (const std::size_t word : {at_page, token, row + done, now}) pieces.push_back(static_cast<u32>(word));
      done += now;
    }
    for (const int number : s.pages) pages.push_back(static_cast<u32>(number));
    row += rows;
  }
  std::vector<u32> words = {static_cast<u32>(count), static_cast<u32>(pieces.size() / 4), static_cast<u32>(row), 0};
  words.insert(words.end(), entries.begin(), entries.end());
  words.resize(4 + 4 * static_cast<std::size_t>(lm_.sequences));
  words.insert(words.end(), pieces.begin(), pieces.end());
  words.resize(lists);
  words.insert(words.end(), pages.begin(), pages.end());
  return words;
}

void BatchSession::write_words(const Symbol& to, std::span<const u32> words) {
  std::vector<std::uint8_t> bytes(words.size_bytes());
  std::memcpy(bytes.data(), words.data(), bytes.size());
  loaded_.write(to.window, to.offset, bytes);
}

// False after an abort.
bool BatchSession::launch(const std::vector<const BatchPart*>& order) {
  std::vector<u32> ids;
  for (const BatchPart* p : order) ids.insert(ids.end(), p->ids.begin(), p->ids.end());
  const std::vector<u32> words = table(order);
  write_words(tokens_, ids);
  write_words(table_, words);
  // The last rows of the parts lie between these.
  const u32 first = static_cast<u32>(order.front()->ids.size()) - 1, rows = static_cast<u32>(ids.size());
  std::vector<u32> args = {static_cast<u32>(words.size() * 4), rows, first, rows - first};
  if (lm_.adapter) args.push_back(adapter_);
  if (lm_.pipeline()) args.push_back(0);  // all dies have these rows
  steps_.push_back({static_cast<int>(order.size()), static_cast<int>(rows), loaded_.run(args)});
  steps_.back().dies = loaded_.records();
  if (steps_.back().record.aborted) aborted_ = true;
  return !aborted_;
}

std::vector<std::vector<float>> BatchSession::step(const std::vector<BatchPart>& parts) {
  check(parts);
  take_pages(parts);
  // Long parts first: then there are few rows from the first part's last to the end.
  std::vector<const BatchPart*> order;
  for (const BatchPart& p : parts) order.push_back(&p);
  std::stable_sort(order.begin(), order.end(), [](const BatchPart* a, const BatchPart* b) { return a->ids.size() > b->ids.size(); });
  const auto undo = [&] {
    for (const BatchPart& p : parts) give_back(at(p.sequence), pages_for(at(p.sequence).history.size()));
  };
  try {
    if (!launch(order)) return undo(), std::vector<std::vector<float>>();
  } catch (...) {
    undo();
    throw;
  }
  std::vector<std::vector<float>> logits(parts.size(), std::vector<float>(static_cast<std::size_t>(lm_.info.vocab)));
  std::size_t end = 0;
  const std::size_t first = order.front()->ids.size();
  for (const BatchPart* p : order) {
    end += p->ids.size();
    loaded_.read_row(logits_, end - first, logits[static_cast<std::size_t>(p - parts.data())]);
    std::vector<int>& history = at(p->sequence).history;
    history.insert(history.end(), p->ids.begin(), p->ids.end());
  }
  return logits;
}

void BatchSession::abort() {
  aborted_ = true;
  loaded_.abort();
}

std::vector<std::uint8_t> BatchSession::kv_cache(int sequence) const {
  const std::vector<std::uint8_t> cache = loaded_.whole_cache(lm_, kv_);
  const Sequence& s = at(sequence);
  return kv_rows(lm_.kv, lm_.info.layers, cache, s.pages, static_cast<int>(s.history.size()));
}

std::vector<std::uint8_t> kv_rows(const KvLayout& layout, int layers, std::span<const std::uint8_t> cache, std::span<const int> pages, int tokens) {
  std::vector<std::uint8_t> out;
  std::uint64_t layer_at = 0;
  for (int layer = 0; layer < layers; ++layer) {
    const int held = layout.ring > 0 && layout.slides(layer) ? layout.ring : layout.tokens;
    const auto held_of = [&](std::uint64_t bytes) { return bytes / static_cast<std::uint64_t>(layout.tokens) * static_cast<std::uint64_t>(held); };
    for (const KvLayout::Region& r : layout.regions)
      for (int plane = 0; plane < r.planes; ++plane)
        for (int t = layout.slides(layer) ? std::max(0, tokens - layout.window + 1) : 0; t < tokens; ++t) {
          const auto page = static_cast<std::uint64_t>(pages[static_cast<std::size_t>(t / layout.tokens)]);
          const auto row = static_cast<std::uint64_t>(plane) * static_cast<std::uint64_t>(held) + static_cast<std::uint64_t>(t % held);
          const auto at = page * layout.page_bytes + layer_at + held_of(r.offset) + row * static_cast<std::uint64_t>(r.unit);
          const auto piece = cache.subspan(at, static_cast<std::size_t>(r.unit));
          out.insert(out.end(), piece.begin(), piece.end());
        }
    layer_at += held_of(layout.layer_bytes);
  }
  return out;
}

}  // namespace jogak
