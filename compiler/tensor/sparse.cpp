#include "sparse.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace jogak::tensor {
namespace {

constexpr std::int64_t kMostRows = 128, kLeastRows = 16;

std::int64_t tile_bytes(const Packing& b, std::int64_t lanes) { return b.format.code_bytes * lanes; }

// Column blocks by k blocks: which tiles have a code that is not zero.
std::vector<std::vector<std::int64_t>> kept_tiles(const std::vector<std::uint8_t>& packed, const Packing& p, std::int64_t lanes) {
  const std::int64_t tile = tile_bytes(p, lanes);
  std::vector<std::vector<std::int64_t>> kept(static_cast<std::size_t>(p.rows / lanes));
  for (std::int64_t block = 0; block < p.blocks; ++block)
    for (std::int64_t j = 0; j < p.rows / lanes; ++j)
      for (int limb = 0; limb < p.format.limbs; ++limb) {
        const auto* at = packed.data() + limb * p.limb() + (block * p.rows + j * lanes) * p.format.code_bytes;
        if (std::all_of(at, at + tile, [](std::uint8_t x) { return x == 0; })) continue;
        kept[static_cast<std::size_t>(j)].push_back(block);
        break;
      }
  return kept;
}

// Column blocks at once: about 128 columns, whose tiles fit the weight scratchpad.
void choose_groups(Sparse& s, const std::vector<std::vector<std::int64_t>>& kept, std::int64_t limbs, std::int64_t tile, const spec::Config& c) {
  const std::int64_t half = c.vmem_bytes / 8 / kMostRows / c.cols;  // lists have the other half of vector memory
  for (s.group = std::max<std::int64_t>(1, std::min<std::int64_t>(128 / c.cols, half)); s.group >= 1; s.group /= 2) {
    s.groups = (s.columns + s.group - 1) / s.group, s.most = 1;
    for (std::int64_t g = 0; g < s.groups; ++g) {
      std::int64_t sum = 0;
      for (std::int64_t j = g * s.group; j < std::min(s.columns, (g + 1) * s.group); ++j) sum += static_cast<std::int64_t>(kept[static_cast<std::size_t>(j)].size());
      s.most = std::max(s.most, sum + sum % 2);  // scales of a limb fill whole words
    }
    if (s.most * tile * limbs <= c.wspm_bytes || s.group == 1) return;
  }
}

class Writer {
 public:
  Writer(const std::vector<std::uint8_t>& packed, const Packing& p, const Sparse& s, const std::vector<std::vector<std::int64_t>>& kept, std::int64_t lanes)
      : packed_(packed), p_(p), s_(s), kept_(kept), tile_(tile_bytes(p, lanes)), scales_(p.format.scale_bytes * lanes), lanes_(lanes) {}

  std::vector<std::uint8_t> run() {
    lists();
    out_.resize(static_cast<std::size_t>(s_.list_bytes()));
    for (std::int64_t g = 0; g < s_.groups; ++g) {
      for (int limb = 0; limb < p_.format.limbs; ++limb) each(g, [&](std::int64_t j, std::int64_t k) { copy(limb * p_.limb() + place(j, k) * p_.format.code_bytes, tile_); });
      for (int limb = 0; limb < p_.format.limbs; ++limb)
        each(g, [&](std::int64_t j, std::int64_t k) { copy(p_.scales_at() + (limb * p_.limb() / p_.format.code_bytes + place(j, k)) * p_.format.scale_bytes, scales_); });
    }
    return std::move(out_);
  }

 private:
  std::int64_t place(std::int64_t j, std::int64_t k) const { return k * p_.rows + j * lanes_; }
  void copy(std::int64_t from, std::int64_t count) { out_.insert(out_.end(), packed_.begin() + from, packed_.begin() + from + count); }
  void word(std::int64_t x) {
    for (int b = 0; b < 4; ++b) out_.push_back(static_cast<std::uint8_t>(x >> 8 * b));
  }
  template <class F>
  void each(std::int64_t g, const F& f) {
    for (std::int64_t j = g * s_.group; j < std::min(s_.columns, (g + 1) * s_.group); ++j)
      for (const std::int64_t k : kept_[static_cast<std::size_t>(j)]) f(j, k);
  }
  void lists() {
    for (std::int64_t g = 0; g < s_.groups; ++g) {
      std::int64_t tiles = 0;
      each(g, [&](std::int64_t, std::int64_t) { ++tiles; });
      word(tiles);
      for (std::int64_t j = g * s_.group; j < (g + 1) * s_.group; ++j) {
        const bool real = j < s_.columns;
        word(real ? static_cast<std::int64_t>(kept_[static_cast<std::size_t>(j)].size()) : 0);
        for (std::size_t i = 0; real && i < kept_[static_cast<std::size_t>(j)].size(); ++i) word(kept_[static_cast<std::size_t>(j)][i] * 32);
      }
    }
  }

  const std::vector<std::uint8_t>& packed_;
  const Packing& p_;
  const Sparse& s_;
  const std::vector<std::vector<std::int64_t>>& kept_;
  const std::int64_t tile_, scales_, lanes_;
  std::vector<std::uint8_t> out_;
};

class SparseProduct {
 public:
  SparseProduct(const Site& s, const Packing& a, const Place& a_at, const Packing& b, const Place& b_at, const Sparse& form, const Place& out, std::int64_t rows,
                std::int64_t columns)
      : c_(s.code), a_(a), b_(b), a_at_(a_at), b_at_(b_at), form_(form), out_(out), m_(rows), n_(columns), lanes_(s.code.lanes()), tile_(tile_bytes(b, lanes_)),
        share_(b.format.share()), mt_(std::min(rows, sparse_rows(a, s.code.config()))), nt_(form.group * lanes_), lists_(mt_ * nt_) {}

  void run() {
    for (Reg* r : {&ra_, &rb_, &rc_, &left_m_, &now_m_, &left_n_, &now_n_, &list_, &count_, &total_, &w_, &o_, &p_, &wp_, &at_}) *r = c_.variable();
    c_.load({.win = window(b_at_), .space = spec::Space::vmem, .da = c_.k(static_cast<std::int64_t>(b_at_.offset)), .ca = c_.k(lists_ * 4),
             .len = c_.k(form_.words() * 4), .n1 = c_.k(1), .n2 = c_.k(1)});
    c_.read_word(count_, c_.k(lists_));  // from here on the lists are there for the sequencer
    const std::int64_t trips = (m_ + mt_ - 1) / mt_;
    c_.set(ra_, 0), c_.set(rc_, static_cast<std::int64_t>(out_.offset)), c_.set(left_m_, m_);
    c_.loop(trips, [&] {
      c_.alu(AluFn::minu, now_m_, left_m_, c_.k(mt_));
      load_a();
      c_.set(rb_, static_cast<std::int64_t>(b_at_.offset) + form_.list_bytes());
      c_.set(list_, lists_);
      c_.set(left_n_, n_);
      c_.loop(form_.groups, [&] {
        c_.alu(AluFn::minu, now_n_, left_n_, c_.k(nt_));
        group();
        c_.advance(left_n_, -nt_);
        c_.advance(rc_, nt_ * 4);
      });
      c_.advance(left_m_, -mt_);
      c_.advance(ra_, mt_ * a_.blocks * 32);
      c_.advance(rc_, (mt_ * n_ - form_.groups * nt_) * 4);
    });
  }

 private:
  static std::uint8_t window(const Place& p) { return static_cast<std::uint8_t>(p.window); }
  std::int64_t a_limb() const { return mt_ * a_.blocks * 32; }

  void load_a() {
    for (int l = 0; l < a_.format.limbs; ++l)
      for (const std::int64_t share : {1, 16})
        c_.load({.win = window(a_at_), .space = share == 1 ? spec::Space::aspm : spec::Space::asc, .da = packed_address(c_, ra_, l, share, a_at_, a_),
                 .ca = c_.k(l * a_limb() / share), .len = c_.k(a_.blocks * 32 / share), .n1 = now_m_, .ds1 = c_.k(a_.blocks * 32 / share),
                 .cs1 = c_.k(a_.blocks * 32 / share), .n2 = c_.k(1)});
  }

  // The tiles of the group: codes of all limbs, then scales.
  void load_b() {
    c_.word(total_, list_);
    for (const std::int64_t share : {std::int64_t(1), share_}) {
      const Reg bytes = c_.scratch();
      c_.alui(AluFn::mul, bytes, total_, tile_ / share);
      c_.load({.win = window(b_at_), .space = share == 1 ? spec::Space::wspm : spec::Space::wsc, .da = rb_, .ca = c_.k(0), .len = bytes,
               .n1 = c_.k(b_.format.limbs), .ds1 = bytes, .cs1 = c_.k(form_.most * tile_ / share), .n2 = c_.k(1)});
      c_.alui(AluFn::mul, bytes, bytes, b_.format.limbs);
      c_.alu(AluFn::add, rb_, rb_, bytes);
    }
    c_.advance(list_, 1);
  }

  void group() {
    load_b();
    // Zeros, whatever was there: all columns are masked.
    c_.vec({.op = spec::Vop::mul, .bmode = spec::Bmode::scalar, .wr = true, .masked = true, .rows = c_.k(1), .cols = c_.k(mt_ * nt_)});
    c_.set(w_, 0), c_.set(o_, 0);
    c_.loop_on(Engine::mx, c_.k(form_.group), [&] { column_block(); });
    c_.store({.win = window(out_), .space = spec::Space::vmem, .da = rc_, .len = c_.times(now_n_, 4), .n1 = now_m_, .ds1 = c_.k(n_ * 4), .cs1 = c_.k(nt_ * 4), .n2 = c_.k(1)});
  }

  // Small products of limbs first, each over all tiles, as products without lists do.
  void column_block() {
    c_.word(count_, list_);
    c_.advance(list_, 1);
    for (int sum = a_.format.limbs - 1; sum >= 0; --sum)
      for (int l = 0; l <= sum; ++l) {
        c_.copy(p_, list_);
        c_.alui(AluFn::add, wp_, w_, (sum - l) * form_.most * tile_);
        c_.loop_on(Engine::mx, count_, [&] { multiply(l * a_limb()); });
      }
    c_.alu(AluFn::add, list_, list_, count_);
    const Reg bytes = c_.scratch();
    c_.alui(AluFn::mul, bytes, count_, tile_);
    c_.alu(AluFn::add, w_, w_, bytes);
    c_.advance(o_, lanes_);
  }

  void multiply(std::int64_t a) {
    const bool e2m1 = b_.format.e2m1;
    c_.word(at_, p_);
    c_.advance(at_, a);
    const Reg scales = c_.scratch();
    c_.alui(AluFn::shr, scales, wp_, std::countr_zero(static_cast<std::uint64_t>(share_)));
    c_.mm({.wfmt = e2m1 ? spec::Wfmt::e2m1 : spec::Wfmt::int8, .wscale = b_.format.scale_bytes == 1 ? spec::Wscale::e8m0 : spec::Wscale::bf16,
           .ascale = spec::Ascale::bf16, .acc = true, .colload = !e2m1, .w = wp_, .ws = scales, .wn = c_.k(tile_), .wk = c_.k(tile_), .a = at_,
           .am = c_.k(a_.blocks * 32), .o = o_, .om = c_.k(nt_), .on = c_.k(lanes_), .m = now_m_, .kb = c_.k(1), .nb = c_.k(1)});
    c_.advance(p_, 1);
    c_.advance(wp_, tile_);
  }

  Code& c_;
  const Packing &a_, &b_;
  const Place &a_at_, &b_at_;
  const Sparse& form_;
  const Place& out_;
  const std::int64_t m_, n_, lanes_, tile_, share_, mt_, nt_, lists_;  // rows, columns; bytes of a tile, times its scales; rows and columns at once; the lists' first word
  Reg ra_ = 0, rb_ = 0, rc_ = 0, left_m_ = 0, now_m_ = 0, left_n_ = 0, now_n_ = 0;
  Reg list_ = 0, count_ = 0, total_ = 0;               // next word of the lists; tiles of a column block, of a group
  Reg w_ = 0, o_ = 0, p_ = 0, wp_ = 0, at_ = 0;        // first tile and words of a column block; next entry, its tile, its block of the other operand
};

}  // namespace

std::int64_t sparse_rows(const Packing& a, const spec::Config& config) {
  const std::int64_t rows = std::min<std::int64_t>(kMostRows, config.aspm_bytes / (a.blocks * 32 * a.format.limbs));
  return rows < kLeastRows ? 0 : rows;
}

std::optional<SparseOperand> sparse_operand(const std::vector<std::uint8_t>& packed, const Packing& p, const spec::Config& config) {
  const std::int64_t lanes = config.cols, tile = tile_bytes(p, lanes);
  const auto kept = kept_tiles(packed, p, lanes);
  SparseOperand out;
  Sparse& s = out.form;
  s.columns = p.rows / lanes, s.all = s.columns * p.blocks;
  for (const auto& list : kept) s.kept += static_cast<std::int64_t>(list.size());
  if (s.kept * 4 > s.all * 3) return std::nullopt;
  choose_groups(s, kept, p.format.limbs, tile, config);
  if (s.most * tile * p.format.limbs > config.wspm_bytes || (s.words() + kMostRows * s.group * lanes) * 4 > config.vmem_bytes) return std::nullopt;
  out.bytes = Writer(packed, p, s, kept, lanes).run();
  out.bytes.resize((out.bytes.size() + 63) / 64 * 64);
  return out;
}

void emit_sparse_product(const Site& site, const Packing& a, const Place& a_at, const Packing& b, const Place& b_at, const Sparse& form, const Place& out, std::int64_t rows,
                         std::int64_t columns) {
  SparseProduct(site, a, a_at, b, b_at, form, out, rows, columns).run();
}

}  // namespace jogak::tensor
