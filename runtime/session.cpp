#include "session.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "driver/package.hpp"

namespace jogak {

using u32 = std::uint32_t;
using u64 = std::uint64_t;
static_assert(std::endian::native == std::endian::little, "tokens and logits cross the device boundary as little-endian bytes");

const char* name(Stop stop) {
  switch (stop) {
    case Stop::tokens: return "tokens";
    case Stop::end: return "end";
    case Stop::context: return "context";
    case Stop::callback: return "callback";
    case Stop::text: return "text";
    case Stop::aborted: break;
  }
  return "aborted";
}

Session::Session(const Program& program, const std::string& backend) : Session(program, open_dies(program, backend)) {}

Session::Session(const Program& program, std::unique_ptr<driver::Device> device) : Session(program, alone(std::move(device))) {}

Session::Session(const Program& program, std::vector<std::unique_ptr<driver::Device>> dies)
    : program_(without_segments(program)), lm_(read_language_model(program, false)), loaded_(std::move(dies), program, lm_.places) {
  tokens_ = need_symbol(program_, "tokens", "i32", 1);
  logits_ = need_symbol(program_, "logits", "f32", 2);
  kv_ = need_symbol(program_, "kv", "bytes", 1);
  program_.abi.clear();
  if (model_.rows < 1 || model_.vocab < 1 || model_.context < 1 || logits_.shape[0] < static_cast<u32>(model_.rows) ||
      logits_.shape[1] * loaded_.count() < static_cast<u32>(model_.vocab) || tokens_.shape[0] < static_cast<u32>(model_.rows)) {
    throw Error("session", "sizes", std::to_string(model_.rows) + " rows of " + std::to_string(model_.vocab) + " logits",
                "what the symbols tokens and logits can hold");
  }
  loaded_.protect(0);
  rows_ = model_.rows;
}

Session::~Session() {
  if (timeline_) (void)loaded_.device().trace({});
}

void Session::limit_rows(int rows) {
  if (rows < 1 || rows > model_.rows) throw Error("session", "rows of a launch", std::to_string(rows), "1 to " + std::to_string(model_.rows));
  rows_ = rows;
}

void Session::check_ids(std::span<const int> ids) const {
  if (ids.empty()) throw Error("session", "tokens", "none", "at least one");
  for (const int id : ids)
    if (id < 0 || id >= model_.vocab) throw Error("session", "token", std::to_string(id), "0 to " + std::to_string(model_.vocab - 1));
  if (static_cast<int>(ids.size()) > room()) {
    throw Error("session", "length of the prompt", std::to_string(ids.size()) + " tokens",
                "at most " + std::to_string(room()) + " (context of " + std::to_string(model_.context) + ", " + std::to_string(position_) + " used)");
  }
}

void Session::check_state() const {
  if (aborted_) throw Error("session", "state", "an aborted launch", "a reset before more tokens");
  // First dies of a pipeline were ahead: in their rings newer keys have taken the place of some that the next token sees.
  if (!can_rewind(position_)) throw Error("session", "state", "a prompt given up while launches overlapped", "a reset or rewind before more tokens");
}

void Session::write_tokens(std::span<const int> ids) {
  std::vector<std::uint8_t> bytes(ids.size() * 4);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::int32_t id = ids[i];
    std::memcpy(&bytes[i * 4], &id, 4);
  }
  loaded_.write(tokens_.window, tokens_.offset, bytes);
}

void Session::launch(std::span<const int> ids, int logit_row, int logit_rows) {
  write_tokens(ids);
  std::vector<u32> args = {static_cast<u32>(position_), static_cast<u32>(ids.size()), static_cast<u32>(logit_row), static_cast<u32>(logit_rows)};
  if (lm_.adapter) args.push_back(adapter_);
  if (lm_.pipeline()) args.push_back(0);  // all dies have these rows
  const KvLayout& kv = lm_.kv;
  if (kv.ring > 0) intact_ = std::max(intact_, position_ + static_cast<int>(ids.size()) - kv.ring);  // even if the launch ends halfway
  if (timeline_) timeline_->begin_launch();
  end_launch(loaded_.run(args), ids);
}

void Session::end_launch(LaunchRecord record, std::span<const int> done) {
  steps_.push_back({position_, static_cast<int>(done.size()), record, loaded_.records()});
  if (timeline_) {  // which follows the first die
    LaunchRecord first = loaded_.count() > 1 ? loaded_.records().front() : record;
    first.counters[static_cast<std::size_t>(spec::Counter::cycles)] = record[spec::Counter::cycles];
    timeline_->end_launch(first);
  }
  if (record.aborted) aborted_ = true;
  if (aborted_) return;
  position_ += static_cast<int>(done.size());
  history_.insert(history_.end(), done.begin(), done.end());
}

void Session::read_logits(int rows, std::vector<float>& out) const {
  const auto vocab = static_cast<std::size_t>(model_.vocab);
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    out.resize(out.size() + vocab);
    loaded_.read_row(logits_, r, std::span(out).last(vocab));
  }
}

std::span<const float> Session::feed(std::span<const int> ids) {
  check_state();
  return advance(ids);
}

std::span<const float> Session::advance(std::span<const int> ids, const std::function<bool()>& go_on) {
  check_ids(ids);
  last_.clear();
  const bool overlaps = overlap_helps(ids.size());
  if (overlaps && !overlap(ids, go_on)) return {};
  for (std::size_t at = overlaps ? ids.size() : 0; at < ids.size() && !aborted_;) {
    if (go_on && !go_on()) return {};
    const std::size_t count = std::min(ids.size() - at, static_cast<std::size_t>(rows_));
    // Logits of the last row only: the others would cost time.
    launch(ids.subspan(at, count), static_cast<int>(count) - 1, 1);
    at += count;
  }
  if (!aborted_) read_logits(1, last_);
  return last_;
}

std::vector<float> Session::feed_all(std::span<const int> ids) {
  check_state();
  check_ids(ids);
  std::vector<float> all;
  for (std::size_t at = 0; at < ids.size() && !aborted_;) {
    const std::size_t count = std::min(ids.size() - at, static_cast<std::size_t>(rows_));
    launch(ids.subspan(at, count), 0, static_cast<int>(count));
    if (!aborted_) read_logits(static_cast<int>(count), all);
    at += count;
  }
  return all;
}

void Session::load_adapter(std::span<const std::uint8_t> image) {
  write_adapter(loaded_, program_, image);
  adapter_ = true;
  rewind(0);
}

void Session::drop_adapter() {
  adapter_ = false;
  rewind(0);
}

void Session::rewind(int tokens) {
  if (tokens < 0 || tokens > position_)
    throw Error("session", "tokens to keep", std::to_string(tokens), "0 to " + std::to_string(position_) + ", those in the KV cache");
  if (!can_rewind(tokens))
    throw Error("session", "tokens to keep", std::to_string(tokens), "0, or " + std::to_string(intact_ + lm_.kv.window - 1) + " to " + std::to_string(position_) +
                ": for fewer, newer tokens have taken the place of some that the sliding window of " + std::to_string(lm_.kv.window) + " would see");
  truncate(tokens);
  if (tokens == 0) intact_ = 0;
  aborted_ = false;
}

bool Session::can_rewind(int tokens) const { return tokens == 0 || tokens - lm_.kv.window + 1 >= intact_ || intact_ == 0; }

void Session::truncate(int tokens) {
  position_ = tokens;
  history_.resize(static_cast<std::size_t>(tokens));
}

int Session::rewind_to(std::span<const int> prompt) {
  const auto most = std::min(history_.size(), prompt.empty() ? 0 : prompt.size() - 1);
  std::size_t same = 0;
  while (same < most && history_[same] == prompt[same]) ++same;
  rewind(can_rewind(static_cast<int>(same)) ? static_cast<int>(same) : 0);
  return position_;
}

void Session::abort() {
  aborted_ = true;
  loaded_.abort();
}

void Session::start_timeline(std::size_t keep) {
  timeline_.emplace(program_, keep);
  const driver::Status s = loaded_.device().trace([this](const driver::TraceEvent& e) { timeline_->event(e); });
  if (s.ok()) return;
  timeline_.reset();
  throw Error(s.message());
}

std::vector<int> Session::experts() const {
  const Symbol* s = program_.find("chosen_experts");
  if (s == nullptr || steps_.empty()) return {};
  if (s->shape.size() != 3) throw Error("session", "symbol chosen_experts", "rank " + std::to_string(s->shape.size()), "rank 3");
  const auto rows = std::min<u64>(static_cast<u64>(steps_.back().rows), s->shape[1]);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(s->shape[0] * rows * s->shape[2] * 4));
  std::vector<int> indices;
  for (std::size_t die = 0; die < (lm_.pipeline() ? loaded_.count() : 1); ++die) {  // where each has layers of its own
    loaded_.read(die, s->window, s->offset, bytes);
    for (std::size_t i = 0; i < bytes.size(); i += 4) indices.push_back(bytes[i] | bytes[i + 1] << 8);
  }
  return indices;
}

std::vector<driver::LinkUse> Session::links(std::size_t die) const {
  const auto* d = dynamic_cast<const driver::Die*>(&loaded_.device(die));
  if (d == nullptr) return {};
  std::vector<driver::LinkUse> links = d->links();
  for (driver::LinkUse& l : links) l.to = loaded_.die_at(l.to);
  return links;
}

std::vector<std::uint8_t> Session::kv_cache() const {
  return loaded_.whole_cache(lm_, kv_);
}

}  // namespace jogak
