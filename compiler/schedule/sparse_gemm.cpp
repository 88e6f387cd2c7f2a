#include "sparse_gemm.hpp"

#include <algorithm>
#include <cstring>

#include "../passes/codes.hpp"
#include "gemm_frame.hpp"
#include "tile.hpp"

namespace jogak::schedule {
namespace {

std::uint32_t tile_bytes(const Gemm& g) { return (g.format == ir::Format::mxfp4 ? 16u : 32u) * g.config.cols; }
std::uint32_t list_words(const BlockLists& lists) { return static_cast<std::uint32_t>(lists.size() + kept_count(lists)); }
// Bytes of window 0 before the first tile.
std::uint32_t list_bytes(const BlockLists& lists) { return (list_words(lists) * 4 + 63) / 64 * 64; }

// The sequencer walks the lists: for each tile it reads from vector memory where its rows of A lie.
class Lowering : GemmFrame {
 public:
  Lowering(const Gemm& g, const BlockLists& lists)
      : GemmFrame(g), tile_(tile_bytes(g)), words_(list_words(lists)), first_(list_bytes(lists)),
        end_(first_ + static_cast<std::uint32_t>(kept_count(lists)) * (tile_ + tile_ / 16)), trips_(static_cast<std::uint32_t>(lists.size())) {
    const auto& c = g.config;
    std::size_t most = 1;
    for (const auto& l : lists) most = std::max(most, l.size());
    slot_ = static_cast<std::uint32_t>((most + 1) / 2 * 2) * tile_;  // so that no two slots share a word of scales
    slots_ = std::min({c.wspm_bytes / slot_, trips_, 8u});
    lists_at_ = 2u * kRows * c.cols;
    if (slots_ < 2 || 2u * kRows * static_cast<std::uint32_t>(g.k) > c.aspm_bytes || (lists_at_ + words_) * 4 > c.vmem_bytes)
      throw Error("sparse gemm", "shape on " + std::string(c.name), std::to_string(g.n) + " columns of " + std::to_string(g.k),
                  "two slots of B, two row blocks of A and the lists of blocks that fit");
    if (g.k % 32 || g.m % kRows || static_cast<std::uint32_t>(g.n) != trips_ * c.cols)
      throw Error("sparse gemm", "shape", std::to_string(g.m) + " x " + std::to_string(g.n) + " x " + std::to_string(g.k),
                  "multiples of 64, " + std::to_string(c.cols) + " and 32");
  }

  emit::Emitter run() {
    for (Reg* r : {&use_, &fill_, &from_, &list_, &list_fill_, &count_, &w_}) *r = e_.variable();
    begin();
    for (const Reg r : {use_, fill_}) e_.set(r, 0);
    e_.set(from_, first_);
    e_.set(list_, lists_at_);
    e_.set(list_fill_, lists_at_);
    e_.put(spec::Load{.win = 0, .space = Space::vmem, .ca = k(lists_at_ * 4LL), .len = k(words_ * 4LL), .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kLists);
    e_.wait(Engine::seq, kLists);
    load_a();
    e_.repeat(slots_, [&] { load_b(); });
    all_rows("sparse_gemm", trips_, slots_, [&](bool prefetch) { columns(prefetch); });
    return std::move(e_);
  }

 private:
  using GemmFrame::cycle;
  // r = r + by, back to `first` at `end`.
  void cycle(Reg r, Reg by, std::uint32_t first, std::uint32_t end) {
    const Reg inside = e_.temporary();
    e_.alu(AluFn::add, r, r, by);
    if (first != 0) e_.alui(AluFn::add, r, r, 0u - first);
    e_.alui(AluFn::ltu, inside, r, end - first);
    e_.alu(AluFn::mul, r, r, inside);
    if (first != 0) e_.alui(AluFn::add, r, r, first);
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

  void columns(bool prefetch) {
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
    store_columns(g_.config.cols);
  }

  // The next tile of the list.
  void tile(bool acc) {
    e_.alui(AluFn::add, list_, list_, 1);
    const Reg a = e_.temporary(), scales = e_.temporary();
    e_.put(spec::Lds{.rd = a, .ra = list_});
    e_.alu(AluFn::add, a, a, a_);
    e_.alui(AluFn::shr, scales, w_, 4);
    spec::Mm mm = product();
    mm.acc = acc, mm.w = w_, mm.ws = scales, mm.wn = k(tile_), mm.wk = k(tile_), mm.a = a, mm.om = k(g_.config.cols), mm.kb = k(1), mm.nb = k(1);
    e_.put(mm);
    e_.alui(AluFn::add, w_, w_, tile_);
  }

  const std::uint32_t tile_, words_, first_, end_, trips_;
  std::uint32_t slot_ = 0, slots_ = 0, lists_at_ = 0;  // bytes of a slot; slots; the lists' first word
  Reg use_ = 0, fill_ = 0, from_ = 0;                  // slot in use, slot to fill, offset of the next tiles in window 0
  Reg list_ = 0, list_fill_ = 0, count_ = 0, w_ = 0;   // words of the lists: in use, to fill by; a count; tile in use
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

emit::Emitter lower_sparse_gemm(const Gemm& gemm, const BlockLists& lists) { return Lowering(gemm, lists).run(); }

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
