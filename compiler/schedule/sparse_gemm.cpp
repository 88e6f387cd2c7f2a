#include "sparse_gemm.hpp"

#include <algorithm>
#include <cstring>

#include "../passes/codes.hpp"
#include "tile.hpp"

namespace jogak::schedule {
namespace {

using emit::Emitter;
using emit::Reg;
using spec::AluFn;
using spec::Engine;
using spec::Space;

constexpr int kRows = 64;  // rows of A at once

enum Semaphore : unsigned { kSlotFull, kSlotFree, kAFull, kAFree, kOutFull, kOutFree, kLists };

std::uint32_t tile_bytes(const Gemm& g) { return (g.format == ir::Format::mxfp4 ? 16u : 32u) * g.config.cols; }
std::uint32_t list_words(const BlockLists& lists) { return static_cast<std::uint32_t>(lists.size() + kept_count(lists)); }
// Bytes of window 0 before the first tile.
std::uint32_t list_bytes(const BlockLists& lists) { return (list_words(lists) * 4 + 63) / 64 * 64; }

// The sequencer walks the lists: for each tile it reads from vector memory where its rows of A lie.
class Lowering {
 public:
  Lowering(const Gemm& g, const BlockLists& lists)
      : g_(g), tile_(tile_bytes(g)), words_(list_words(lists)), first_(list_bytes(lists)),
        end_(first_ + static_cast<std::uint32_t>(kept_count(lists)) * (tile_ + tile_ / 16)), trips_(static_cast<std::uint32_t>(lists.size())) {
    const auto& c = g.config;
    std::size_t most = 1;
    for (const auto& l : lists) most = std::max(most, l.size());
    slot_ = static_cast<std::uint32_t>((most + 1) / 2 * 2) * tile_;  // so that no two slots share a word of scales
    slots_ = std::min({c.wspm_bytes / slot_, trips_, 8u});
    lists_at_ = 2u * kRows * c.cols;
    if (g.format != ir::Format::int8 && g.format != ir::Format::mxfp4) throw Error("sparse gemm", "format of B", ir::name(g.format), "int8 or mxfp4");
    if (slots_ < 2 || 2u * kRows * static_cast<std::uint32_t>(g.k) > c.aspm_bytes || (lists_at_ + words_) * 4 > c.vmem_bytes)
      throw Error("sparse gemm", "shape on " + std::string(c.name), std::to_string(g.n) + " columns of " + std::to_string(g.k),
                  "two slots of B, two row blocks of A and the lists of blocks that fit");
    if (g.k % 32 || g.m % kRows || static_cast<std::uint32_t>(g.n) != trips_ * c.cols)
      throw Error("sparse gemm", "shape", std::to_string(g.m) + " x " + std::to_string(g.n) + " x " + std::to_string(g.k),
                  "multiples of 64, " + std::to_string(c.cols) + " and 32");
  }

  Emitter run() {
    for (Reg* r : {&use_, &fill_, &from_, &list_, &list_fill_, &a_, &a_fill_, &a_from_, &out_, &c_, &c_row_, &count_, &w_}) *r = e_.variable();
    e_.label("prologue");
    e_.signal(Engine::seq, kOutFree, 2);
    e_.signal(Engine::seq, kAFree, 2);
    for (const Reg r : {use_, fill_, a_, a_fill_, a_from_, out_, c_, c_row_}) e_.set(r, 0);
    e_.set(from_, first_);
    e_.set(list_, lists_at_);
    e_.set(list_fill_, lists_at_);
    e_.put(spec::Load{.win = 0, .space = Space::vmem, .ca = k(lists_at_ * 4LL), .len = k(words_ * 4LL), .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kLists);
    e_.wait(Engine::seq, kLists);
    load_a();
    e_.repeat(slots_, [&] { load_b(); });
    e_.label("sparse_gemm");
    e_.repeat(static_cast<std::uint32_t>(g_.m / kRows - 1), [&] {
      load_a();
      rows(true);
    });
    rows(false);
    e_.put(spec::Halt{});
    return std::move(e_);
  }

 private:
  Reg k(long long value) { return e_.constant(static_cast<std::uint32_t>(value)); }
  // r = r + by, back to `first` at `end`.
  void cycle(Reg r, Reg by, std::uint32_t first, std::uint32_t end) {
    const Reg inside = e_.temporary();
    e_.alu(AluFn::add, r, r, by);
    if (first != 0) e_.alui(AluFn::add, r, r, 0u - first);
    e_.alui(AluFn::ltu, inside, r, end - first);
    e_.alu(AluFn::mul, r, r, inside);
    if (first != 0) e_.alui(AluFn::add, r, r, first);
  }
  void cycle(Reg r, std::uint32_t by, std::uint32_t end) {
    const Reg inside = e_.temporary();
    e_.alui(AluFn::add, r, r, by);
    e_.alui(AluFn::ltu, inside, r, end);
    e_.alu(AluFn::mul, r, r, inside);
  }

  void load_a() {
    const long long codes = 1LL * kRows * g_.k;
    e_.wait(Engine::ld, kAFree);
    e_.put(spec::Load{.win = 1, .space = Space::aspm, .da = a_from_, .ca = a_fill_, .len = k(codes), .n1 = k(1), .n2 = k(1)});
    const Reg from = e_.temporary(), to = e_.temporary();
    e_.alui(AluFn::shr, from, a_from_, 4);
    e_.alui(AluFn::add, from, from, static_cast<std::uint32_t>(g_.m * g_.k));
    e_.alui(AluFn::shr, to, a_fill_, 4);
    e_.put(spec::Load{.win = 1, .space = Space::asc, .da = from, .ca = to, .len = k(codes / 16), .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kAFull);
    e_.alui(AluFn::add, a_from_, a_from_, static_cast<std::uint32_t>(codes));
    cycle(a_fill_, static_cast<std::uint32_t>(codes), static_cast<std::uint32_t>(2 * codes));
  }

  // The tiles of one column block, as many as its list says.
  void load_b() {
    e_.put(spec::Lds{.rd = count_, .ra = list_fill_});
    const Reg bytes = e_.temporary(), scales = e_.temporary();
    e_.alui(AluFn::mul, bytes, count_, tile_);
    e_.alui(AluFn::shr, scales, bytes, 4);
    e_.put(spec::Load{.win = 0, .space = Space::wspm, .da = from_, .ca = fill_, .len = bytes, .n1 = k(1), .n2 = k(1)});
    const Reg to = e_.temporary();
    e_.alu(AluFn::add, from_, from_, bytes);
    e_.alui(AluFn::shr, to, fill_, 4);
    e_.put(spec::Load{.win = 0, .space = Space::wsc, .da = from_, .ca = to, .len = scales, .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kSlotFull);
    cycle(from_, scales, first_, end_);
    e_.alui(AluFn::add, count_, count_, 1);
    cycle(list_fill_, count_, lists_at_, lists_at_ + words_);
    cycle(fill_, slot_, slot_ * slots_);
  }

  // One block of rows against all of B; B's slots for the next block are fetched ahead.
  void rows(bool more) {
    e_.wait(Engine::mx, kAFull);
    const std::uint32_t ahead = more ? trips_ : trips_ - slots_;
    e_.repeat(ahead, [&] { columns(true); });
    e_.repeat(trips_ - ahead, [&] { columns(false); });
    e_.signal(Engine::mx, kAFree);
    cycle(a_, static_cast<std::uint32_t>(kRows * g_.k), static_cast<std::uint32_t>(2 * kRows * g_.k));
    e_.alui(AluFn::add, c_row_, c_row_, static_cast<std::uint32_t>(kRows * g_.n * 4));
    e_.copy(c_, c_row_);
  }

  void columns(bool prefetch) {
    const long long width = g_.config.cols;
    e_.put(spec::Lds{.rd = count_, .ra = list_});
    e_.copy(w_, use_);
    e_.wait(Engine::mx, kSlotFull);
    e_.wait(Engine::mx, kOutFree);
    tile(false);
    e_.alui(AluFn::add, count_, count_, 0u - 1u);
    e_.loop(count_, [&] { tile(true); });
    cycle(list_, k(1), lists_at_, lists_at_ + words_);
    e_.signal(Engine::mx, kSlotFree);
    e_.signal(Engine::mx, kOutFull);
    cycle(use_, slot_, slot_ * slots_);
    if (prefetch) {
      e_.wait(Engine::ld, kSlotFree);
      load_b();
    }
    const Reg from = e_.temporary();
    e_.wait(Engine::st, kOutFull);
    e_.alui(AluFn::shl, from, out_, 2);
    e_.put(spec::Store{.win = 2, .space = Space::vmem, .da = c_, .ca = from, .len = k(width * 4), .n1 = k(kRows), .ds1 = k(g_.n * 4LL),
                       .cs1 = k(width * 4), .n2 = k(1)});
    e_.signal(Engine::st, kOutFree);
    cycle(out_, static_cast<std::uint32_t>(kRows * width), static_cast<std::uint32_t>(2 * kRows * width));
    e_.alui(AluFn::add, c_, c_, static_cast<std::uint32_t>(width * 4));
  }

  // The next tile of the list.
  void tile(bool acc) {
    const bool int8 = g_.format == ir::Format::int8;
    e_.alui(AluFn::add, list_, list_, 1);
    const Reg a = e_.temporary(), scales = e_.temporary();
    e_.put(spec::Lds{.rd = a, .ra = list_});
    e_.alu(AluFn::add, a, a, a_);
    e_.alui(AluFn::shr, scales, w_, 4);
    e_.put(spec::Mm{.wfmt = int8 ? spec::Wfmt::int8 : spec::Wfmt::e2m1, .wscale = int8 ? spec::Wscale::fp16 : spec::Wscale::e8m0,
                    .ascale = spec::Ascale::bf16, .acc = acc, .w = w_, .ws = scales, .wn = k(tile_), .wk = k(tile_), .a = a, .am = k(g_.k), .o = out_,
                    .om = k(g_.config.cols), .on = k(g_.config.cols), .m = k(kRows), .kb = k(1), .nb = k(1)});
    e_.alui(AluFn::add, w_, w_, tile_);
  }

  const Gemm& g_;
  Emitter e_;
  const std::uint32_t tile_, words_, first_, end_, trips_;
  std::uint32_t slot_ = 0, slots_ = 0, lists_at_ = 0;  // bytes of a slot; slots; the lists' first word
  Reg use_ = 0, fill_ = 0, from_ = 0;                  // slot in use, slot to fill, offset of the next tiles in window 0
  Reg list_ = 0, list_fill_ = 0, count_ = 0, w_ = 0;   // words of the lists: in use, to fill by; a count; tile in use
  Reg a_ = 0, a_fill_ = 0, a_from_ = 0;                // row block in use, to fill, offset of the next one in window 1
  Reg out_ = 0, c_ = 0, c_row_ = 0;                    // output buffer, its place in C, first column of the row block
};

bool all_zero(const ir::QMatrix& b, std::int64_t n, std::int64_t kb) {
  std::int8_t room[32];
  const passes::Block block = passes::block_of(b, n, kb, room);
  // Of E2M1 both 0 and 8 are zero.
  const int mask = b.format == ir::Format::mxfp4 ? 7 : 0xff;
  return std::all_of(block.codes, block.codes + 32, [&](std::int8_t c) { return (c & mask) == 0; });
}

}  // namespace

BlockLists kept_blocks(const ir::QMatrix& b, int cols) {
  BlockLists lists(static_cast<std::size_t>((b.n + cols - 1) / cols));
  for (std::size_t j = 0; j < lists.size(); ++j) {
    const std::int64_t first = static_cast<std::int64_t>(j) * cols, end = std::min<std::int64_t>(b.n, first + cols);
    for (std::int64_t kb = 0; kb < b.kb(); ++kb)
      for (std::int64_t n = first; n < end; ++n)
        if (!all_zero(b, n, kb)) {
          lists[j].push_back(static_cast<int>(kb));
          break;
        }
    if (lists[j].empty()) lists[j].push_back(0);  // so that the result is written
  }
  return lists;
}

std::size_t kept_count(const BlockLists& lists) {
  std::size_t count = 0;
  for (const auto& l : lists) count += l.size();
  return count;
}

Emitter lower_sparse_gemm(const Gemm& gemm, const BlockLists& lists) { return Lowering(gemm, lists).run(); }

std::vector<std::byte> pack_sparse_b(const Gemm& g, const ir::QMatrix& b, const BlockLists& lists) {
  const std::size_t tile = tile_bytes(g), cols = g.config.cols;
  std::vector<std::byte> out(list_bytes(lists) + kept_count(lists) * (tile + tile / 16));
  std::size_t word = 0;
  const auto put = [&](std::uint32_t x) { std::memcpy(&out[4 * word++], &x, 4); };
  for (const auto& l : lists) {
    put(static_cast<std::uint32_t>(l.size()));
    for (const int kb : l) put(static_cast<std::uint32_t>(kb) * 32);
  }
  std::byte* at = out.data() + list_bytes(lists);
  std::vector<Column> columns(cols);
  for (std::size_t j = 0; j < lists.size(); ++j) {
    for (std::size_t c = 0; c < cols; ++c) columns[c] = {&b, static_cast<std::int64_t>(j * cols + c)};
    std::byte* scale = at + lists[j].size() * tile;
    for (const int kb : lists[j]) put_tile(columns, kb, at, scale), at += tile, scale += tile / 16;
    at = scale;
  }
  return out;
}

}  // namespace jogak::schedule
