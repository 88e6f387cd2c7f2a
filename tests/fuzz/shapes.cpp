#include "shapes.hpp"

#include <algorithm>
#include <utility>

namespace jogak::fuzz {

namespace {

constexpr u32 kIndexEnd = 8;  // index lists hold numbers below this
constexpr u32 kLine = 64;
constexpr u32 kLargeShare = 24;  // one command in so many has a large count or length

}  // namespace

Shapes::Shapes(const spec::Config& config, Case& target, Writer& writer, Random& random)
    : config_(config), case_(target), writer_(writer), random_(random) {
  choose_windows();
  choose_spans();
  for (u32 i = 0; i < kIndices; ++i) case_.pool.push_back({i, random_.below(kIndexEnd)});
}

u64 Shapes::bytes(spec::Space space) const {
  const std::array<u64, 5> all = {config_.wspm_bytes, config_.wsc_bytes, config_.aspm_bytes, config_.asc_bytes,
                                  config_.vmem_bytes};
  return all[std::size_t(space)];
}

void Shapes::choose_windows() {
  const u32 readable = random_.below(8), writable = random_.below(8);
  for (u32 i = 0; i < case_.windows.size(); ++i) {
    sim::WindowSetup& w = case_.windows[i];
    const bool needed = i == readable || i == writable;
    const u32 base = kLine * random_.below(needed ? 128 : kDataBytes / kLine);
    w.base = kDataBase + base;
    w.size = kDataBytes - base;
    if (!needed) w.size = random_.one_in(4) ? 0 : random_.below(w.size) + 1;
    else w.size -= random_.below(2000);
    w.readable = i == readable || random_.one_in(2);
    w.writable = i == writable || random_.one_in(2);
  }
}

// Sometimes everything happens in a small corner, so that commands meet each other.
void Shapes::choose_spans() {
  for (const spec::Space space : kSpaces) {
    const u64 all = bytes(space), size = all >> random_.below(space == spec::Space::vmem ? 3 : 4);
    const u64 base = random_.below(all / size) * size;
    spans_[std::size_t(space)] = {base, size};
  }
  Span& vmem = spans_[std::size_t(spec::Space::vmem)];
  const u64 pool = kPoolWords * 4;
  if (vmem.base < pool) vmem = {pool, vmem.size - pool};
  const u64 size = kDataBytes >> random_.below(3);
  physical_ = {kDataBase + random_.below(kDataBytes / size) * size, size};
}

std::optional<Val> Shapes::place(const Span& span, u64 extent, u32 granule) {
  const u64 base = (span.base + granule - 1) / granule * granule;
  if (base + extent > span.base + span.size) return {};
  const u64 room = (span.base + span.size - base - extent) / granule;
  Val v(u32(base + (random_.one_in(8) ? room : random_.below(room + 1)) * u64(granule)));
  if (!writer_.can_advance() || !random_.one_in(3)) return v;
  v.level = int(random_.below(writer_.depth()));
  const u32 rounds = std::max(writer_.rounds(u32(v.level)), 1u);
  const u64 most = rounds > 1 ? std::min<u64>(room / (rounds - 1), 40) : 40;
  const u64 step = random_.below(most + 1), way = rounds > 1 ? step * (rounds - 1) : 0;
  const u64 first = random_.below(room - way + 1);
  const bool down = random_.one_in(4);
  v.value = u32(base + (down ? first + way : first) * granule);
  v.step = u32(down ? 0 - step * granule : step * granule);
  return v;
}

u32 Shapes::word_of_vmem() {
  const Span& s = span(spec::Space::vmem);
  return u32(s.base / 4 + random_.below(s.size / 4));
}

std::optional<Shapes::Box> Shapes::box(u32 len, u32 n1, u32 n2, u32 granule, u64 room, bool overlap) {
  for (int tries = 0; tries < 6; ++tries) {
    Box x{len, n1, n2, len + granule * (random_.one_in(2) ? 0 : random_.below(20)), 0};
    x.s2 = n1 * x.s1 + granule * (random_.one_in(2) ? 0 : random_.below(20));
    if (!overlap && random_.one_in(4)) {  // the inner dimension is the wide one
      x.s2 = len + granule * random_.below(4);
      x.s1 = n2 * x.s2;
    }
    if (overlap) x.s1 = granule * random_.below(len / granule + 1);
    if (n1 == 1 && random_.one_in(2)) x.s1 = granule * random_.below(100'000'000);
    if (n2 == 1 && random_.one_in(2)) x.s2 = granule * random_.below(100'000'000);
    if (x.extent() <= room) return x;
    if (n2 > 1) n2 = 1;
    else if (n1 > 1) n1 /= 2;
    else len = std::max(granule, len / 2 / granule * granule);
  }
  return {};
}

std::optional<u8> Shapes::window(bool write) {
  for (int tries = 0; tries < 32; ++tries) {
    const u8 i = u8(random_.below(8));
    const sim::WindowSetup& w = case_.windows[i];
    if ((write ? w.writable : w.readable) && visible(i)) return i;
  }
  return {};
}

// Offsets of the window inside the program's part of DRAM.
std::optional<Span> Shapes::visible(u8 win) const {
  const sim::WindowSetup& w = case_.windows[win];
  const u64 begin = std::max(physical_.base, w.base);
  const u64 end = std::min(physical_.base + physical_.size, w.base + w.size);
  if (begin >= end) return {};
  return Span{begin - w.base, end - begin};
}

std::optional<Dma> Shapes::dma(bool store, std::optional<spec::Space> wanted) {
  constexpr spec::Space stored[] = {spec::Space::aspm, spec::Space::asc, spec::Space::vmem};
  Dma x{.store = store};
  x.space = wanted ? *wanted : store ? random_.pick(stored) : static_cast<spec::Space>(random_.below(5));
  x.gather = !store && random_.one_in(3);
  const u32 granule = x.space == spec::Space::vmem ? 4 : 2;
  const bool large = random_.one_in(kLargeShare), many = random_.one_in(2);
  const u32 len = granule * (1 + random_.below(large ? (many ? 6 : 2000) : random_.one_in(8) ? 400 : 40));
  const auto chip = box(len, count(large && many && !x.gather ? 300 : 8), count(3), granule, span(x.space).size, false);
  const auto win = window(store);
  if (!chip || !win) return {};
  const Span seen = *visible(*win);
  const u32 n1 = x.gather ? kIndexEnd : chip->n1;
  const auto dram = box(chip->len, n1, chip->n2, 2, seen.size, random_.one_in(6));
  if (!dram || dram->n1 < n1 || dram->n2 < chip->n2 || dram->len < chip->len) return {};
  const auto da = place(seen, dram->extent(), 2), ca = place(span(x.space), chip->extent(), granule);
  if (!da || !ca) return {};
  x.win = *win, x.da = *da, x.ca = *ca, x.len = chip->len, x.n1 = chip->n1, x.n2 = chip->n2;
  x.ds1 = dram->s1, x.cs1 = chip->s1, x.ds2 = dram->s2, x.cs2 = chip->s2;
  x.idx = *place({0, kIndices}, chip->n1, 1);
  return x;
}

std::optional<Dma> Shapes::load() { return dma(false, {}); }
std::optional<Dma> Shapes::store() { return dma(true, {}); }

// The list comes from DRAM where a window shows the pool's own copy: the code puts small numbers nowhere else, so
// the list is first stored there from the pool.
std::optional<std::pair<Dma, Dma>> Shapes::list_and_gather() {
  auto gather = dma(false, {});
  const auto readable = window(false);
  if (!gather || !gather->gather || !readable) return {};
  const u32 n = gather->n1.value;
  const Span seen = *visible(*readable);
  for (u32 i = 0; i < case_.windows.size(); ++i) {
    const sim::WindowSetup& w = case_.windows[i];
    if (!w.writable || w.size == 0) continue;
    const auto at = place(seen, n * 4, 4);
    if (!at || at->advances()) continue;
    const u64 address = case_.windows[*readable].base + at->value;
    if (address < w.base || address + n * 4 > w.base + w.size) continue;
    const auto list = place(span(spec::Space::vmem), n * 4, 4);
    if (!list || list->advances()) return {};
    const u64 end = u64(list->value) + n * 4;
    const u64 from = gather->ca.value, reach = from + span(spec::Space::vmem).size / 2;
    if (gather->space == spec::Space::vmem && from < end && list->value < reach) return {};
    if (gather->ca.advances() && gather->space == spec::Space::vmem) return {};
    Dma put{.store = true, .win = u8(i), .space = spec::Space::vmem};
    put.da = u32(address - w.base), put.ca = random_.below(kIndices - n + 1) * 4, put.len = n * 4, put.n1 = 1,
    put.n2 = 1;
    write(put);
    Dma get{.win = *readable, .space = spec::Space::vmem};
    get.da = *at, get.ca = *list, get.len = n * 4, get.n1 = 1, get.n2 = 1;
    gather->idx = list->value / 4;
    return std::pair{get, *gather};
  }
  return {};
}

Span Shapes::few_rows() {
  const Span& s = span(spec::Space::vmem);
  const u64 size = config_.cols * (2 + random_.below(8)),
            begin = (s.base / 4 + config_.cols - 1) / config_.cols * config_.cols;
  return {begin + random_.below((s.size / 4 - size) / config_.cols) * u64(config_.cols), size};
}

std::optional<Mm> Shapes::mm(std::optional<Span> rows) {
  Mm x;
  x.f = {.wfmt = static_cast<spec::Wfmt>(random_.below(2)),
         .wscale = static_cast<spec::Wscale>(random_.below(4)),
         .ascale = static_cast<spec::Ascale>(random_.below(2)),
         .acc = random_.one_in(2),
         .colload = false,
         .sparse = config_.sparse && random_.one_in(2)};
  const bool int8 = x.f.wfmt == spec::Wfmt::int8, e8m0 = x.f.wscale == spec::Wscale::e8m0;
  x.f.colload = int8 && !x.f.sparse && random_.one_in(3);
  const u32 c = config_.cols, tile = (int8 ? 32 : 16) * c, set = (e8m0 ? 1 : 2) * c, depth = x.f.sparse ? 64 : 32, index = 8 * c;
  const u32 shift = (int8 ? 5 : 4) - (e8m0 ? 0 : 1);
  const bool large = !rows && random_.one_in(kLargeShare);
  const u32 m = count(large ? 300 : random_.one_in(3) ? 12 : 3), kb = count(large ? 2 : 4), nb = count(large ? 2 : 3);
  const u32 wk = tile * random_.below(3), wn = random_.one_in(3) ? tile * random_.below(3) : wk * kb;
  const u64 way = u64(nb - 1) * wn + u64(kb - 1) * wk;
  const u32 am = random_.one_in(3) ? 32 * random_.below(3) : depth * (kb + random_.below(2));
  u32 om = c * (1 + random_.below(3)), on = random_.one_in(2) ? om * m + c * random_.below(3) : c * 40;
  if (u64(m - 1) * om + c > on) on = om * m;
  if (random_.one_in(3)) on = c * (1 + random_.below(2)), om = on * nb + c * random_.below(2);
  const auto w = place(span(spec::Space::wspm), way + tile, tile),
             ws = place(span(spec::Space::wsc), (way >> shift) + set, set);
  const auto a = place(span(spec::Space::aspm), u64(m - 1) * am + kb * depth, 32);
  const auto wi = x.f.sparse ? place(span(spec::Space::wspm), (way >> (int8 ? 2 : 1)) + index, index) : Val(0);
  if (rows) om = c, on = random_.one_in(2) ? c * m : c;
  if (rows && on == c) om = c * nb;
  const Span words = rows ? *rows : Span{span(spec::Space::vmem).base / 4, span(spec::Space::vmem).size / 4};
  const auto o = place(words, u64(m - 1) * om + u64(nb - 1) * on + c, c);
  if (!w || !ws || !a || !o || !wi) return {};
  x.wi = *wi;
  x.w = *w, x.ws = *ws, x.wn = wn, x.wk = wk, x.a = *a, x.am = am;
  x.o = *o, x.om = om, x.on = on, x.m = m, x.kb = kb, x.nb = nb;
  return x;
}

std::optional<Vec> Shapes::vec() {
  Vec x;
  x.f = {.op = static_cast<spec::Vop>(random_.below(4)),
         .bmode = static_cast<spec::Bmode>(random_.below(3)),
         .func = static_cast<spec::Vfunc>(random_.one_in(3) ? 0 : random_.below(4)),
         .red = static_cast<spec::Vred>(random_.below(3))};
  x.f.wr = !random_.one_in(4), x.f.nega = random_.one_in(3), x.f.negb = random_.one_in(3), x.f.absa = random_.one_in(3);
  x.f.swap = random_.one_in(4), x.f.masked = random_.one_in(3), x.f.linc = random_.one_in(2);
  const bool large = random_.one_in(kLargeShare), many = random_.one_in(2);
  const u32 c = config_.cols, rows = count(large ? (many ? 300 : 1) : 6);
  u32 cols = 1 + random_.below(large                ? (many ? c : 3000)
                               : random_.one_in(10) ? 250
                               : random_.one_in(3)  ? 5 * c
                                                    : 2 * c);
  if (x.f.swap) cols += cols % 2;
  if (!operands(x, rows, cols)) return {};
  x.rows = rows, x.cols = cols;
  const u32 lim = random_.below(cols + 3);
  x.lim = random_.one_in(8) ? random_.word() : lim;
  x.s = random_.one_in(4) ? random_.word() : 0x3F000000 + random_.below(0x2000000);
  if (random_.one_in(8)) x.s_register = writer_.loaded(word_of_vmem());
  if (random_.one_in(16)) x.lim_register = writer_.loaded(word_of_vmem());
  if (x.f.bmode == spec::Bmode::scalar) {
    x.b = random_.one_in(4) ? random_.word() : 0x3F000000 + random_.below(0x2000000);
    if (random_.one_in(4)) x.b_register = writer_.loaded(word_of_vmem());
  }
  return x;
}

// Destination, operands and reduction in three different thirds of the span; or the destination over an operand.
bool Shapes::operands(Vec& x, u32 rows, u32 cols) {
  const u32 c = config_.cols, wide = (cols + c - 1) / c * c;
  const Span all{span(spec::Space::vmem).base / 4, span(spec::Space::vmem).size / 4};
  const u64 part = all.size / 3 / c * c, shift = random_.below((all.size - 3 * part) / c + 1) * c;
  const u32 turn = random_.below(3);
  const auto third = [&](u32 i) {
    return Span{(all.base + c - 1) / c * c + shift / 2 + (i + turn) % 3 * part, part - c};
  };
  const bool vector = x.f.bmode == spec::Bmode::vector;
  const u32 as = random_.one_in(5) ? 0 : wide + c * random_.below(3), ds = wide + c * random_.below(3);
  const u32 bs = random_.one_in(3) ? 0 : vector ? wide + c * random_.below(2) : random_.below(6);
  const auto dst = place(third(0), u64(rows - 1) * ds + cols, c), r = place(third(2), rows, 1);
  const auto a = place(third(1), u64(rows - 1) * as + cols, c);
  const auto b = place(third(1), u64(rows - 1) * bs + (vector ? cols : 1), vector ? c : 1);
  if (!dst || !a || !b || !r) return false;
  x.dst = *dst, x.ds = ds, x.a = *a, x.as = as, x.b = *b, x.bs = bs, x.r = *r;
  if (x.f.wr && random_.one_in(3)) x.a = x.dst, x.as = x.ds;
  if (x.f.wr && vector && random_.one_in(4)) x.b = x.dst, x.bs = x.ds;
  return true;
}

std::optional<Qnt> Shapes::qnt() {
  Qnt x;
  x.f.group = static_cast<spec::Qgroup>(random_.below(config_.sparse ? 3 : 2));
  const bool row = x.f.group == spec::Qgroup::row;
  const bool large = random_.one_in(kLargeShare);
  const u32 c = config_.cols, rows = count(large ? 40 : 4);
  const u32 cols = 1 + random_.below(row && random_.one_in(2) ? 256 : large ? 40 : 100);
  const u32 blocks = (cols + 31) / 32, as = random_.one_in(6) ? 0 : (cols + c - 1) / c * c + c * random_.below(2);
  const u32 ds = 32 * (blocks + random_.below(3));
  const Span all{span(spec::Space::vmem).base / 4, span(spec::Space::vmem).size / 4};
  const u64 half = all.size / 2 / c * c;
  const u32 turn = random_.below(2);
  const auto a = place({all.base + turn * half, half}, u64(rows - 1) * as + cols, c);
  const auto r = place({all.base + (1 - turn) * half, half}, rows, 1);
  const auto dst = place(span(spec::Space::aspm), u64(rows - 1) * ds + blocks * 32, 32);
  if (!a || !r || !dst) return {};
  x.dst = *dst, x.ds = ds, x.a = *a, x.as = as, x.r = *r, x.rows = rows, x.cols = cols;
  return x;
}

}  // namespace jogak::fuzz
