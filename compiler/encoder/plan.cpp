#include "plan.hpp"

#include <algorithm>

#include "error.hpp"
#include "../schedule/places.hpp"
#include "../schedule/sizes.hpp"

namespace jogak::encoder {
namespace {

using schedule::divisor, schedule::round_up, schedule::u32;

constexpr int kMostColumns = 64;  // of a slot
constexpr int kMostRows = 32768;  // of a context

// Of the size of a head alone, so that every configuration makes the same bits.
int chunk_of(int head_dim) { return head_dim <= 128 ? 64 : 32; }

void shape(Plan& p, const Encoder& m) {
  p.cols = static_cast<int>(p.config.cols);
  p.width = m.width, p.heads = m.heads, p.head_dim = m.head_dim, p.ffn = m.ffn, p.context = m.context, p.eps = m.eps;
  p.layers = static_cast<int>(m.layers.size());
  p.merge = m.merge;
  p.norm_first = m.norm_first, p.causal = m.causal, p.activation = m.activation, p.source = m.embedding.source;
  const Embedding& in = m.embedding;
  p.embedding_norm = in.normed, p.head_rows = m.head.rows;
  p.vocab = in.vocab, p.type_count = in.type_count, p.channels = in.channels, p.image = in.image, p.patch_size = in.patch_size;
  const int pixels = in.channels * in.patch_size * in.patch_size;
  p.patch_words = round_up(pixels, p.cols), p.patch_k = round_up(pixels, 32);
  p.dn = round_up(p.width, p.cols), p.dk = round_up(p.width, 32);
  p.hn = round_up(p.head_dim, p.cols), p.hk = round_up(p.head_dim, 32);
  p.chunk = p.context > kWholeKeys ? chunk_of(p.head_dim) : 0;
  if (p.source == Source::patches && (p.image % p.patch_size != 0 || p.image / p.patch_size > kMostSide))
    throw Error("plan", "image of " + std::to_string(p.image) + " in patches of " + std::to_string(p.patch_size), "so many", "1 to " + std::to_string(kMostSide) + " whole patches a side");
  if (p.context > kMostRows) throw Error("plan", "context", std::to_string(p.context), "at most " + std::to_string(kMostRows) + " rows (--context)");
  if (p.layers == 0) throw Error("plan", "layers", "0", "1 or more");
  if (p.heads * p.head_dim < 1 || p.head_dim > static_cast<int>(spec::limit::quant_cols_max))
    throw Error("plan", "size of a head", std::to_string(p.head_dim), "1 to " + std::to_string(spec::limit::quant_cols_max));
}

// K and V of a head, whole or two chunks, and at least three slots that hold a column block over the whole width.
void weight_scratchpad(Plan& p) {
  const int unit = 32 * p.cols, kb = p.dk / 32, total = static_cast<int>(p.config.wspm_bytes);
  p.keys = round_up(p.context, p.chunk > 0 ? p.chunk : 32);
  const int held = p.chunk > 0 ? 2 * p.chunk : p.keys, areas = held * (p.hk + p.hn), ring = total - areas;
  const int fit = std::max(1, ring / 4 / unit / kb);
  p.slot.tiles = u32(kb * std::min(fit, std::max(kMostColumns, 32) / p.cols));
  p.slot.weight_bytes = p.slot.tiles * u32(unit);
  if (ring < 3 * static_cast<int>(p.slot.weight_bytes) && p.chunk == 0) {
    p.chunk = chunk_of(p.head_dim);
    return weight_scratchpad(p);
  }
  if (ring < 3 * static_cast<int>(p.slot.weight_bytes))
    throw Error("plan", "weight scratchpad of " + std::string(p.config.name) + ": K and V of " + std::to_string(held) + " rows and three weight slots",
                std::to_string(areas + 3 * static_cast<int>(p.slot.weight_bytes)) + " bytes", "at most " + std::to_string(total));
  p.slot.ring = std::min(u32(ring) / p.slot.weight_bytes, 16u);
  p.k_area = u32(total - areas);
  p.v_area = p.k_area + u32(held * p.hk);
}

void formats(MatrixPlan& m, const ir::QMatrix& q, int cols) {
  m.format = q.format;
  m.tile_bytes = q.format == ir::Format::mxfp4 ? 16 * cols : 32 * cols;
  m.scale_bytes = q.format == ir::Format::int8c ? 0 : q.format == ir::Format::int8 ? 2 * cols : cols;
}

// `iterations` of `blocks` column blocks each, over all of k.
MatrixPlan columns(const Plan& p, const Dense& d, int iterations, int blocks) {
  MatrixPlan m;
  formats(m, *d.w, p.cols);
  m.iterations = iterations;
  m.kbs = static_cast<int>(d.w->kb());
  m.nbs = divisor(blocks, static_cast<int>(p.slot.tiles) / m.kbs);
  m.slots = blocks / m.nbs;
  return m;
}

// All columns of x; k in as many parts as a slot asks for.
MatrixPlan accumulating(const Plan& p, const Dense& d) {
  MatrixPlan best;
  formats(best, *d.w, p.cols);
  const int blocks = p.dn / p.cols, kb = static_cast<int>(d.w->kb()), most = std::max(32, static_cast<int>(p.slot.columns)) / p.cols;
  for (int nbs = 1; nbs <= std::min(most, static_cast<int>(p.slot.tiles)); ++nbs) {
    if (blocks % nbs != 0) continue;
    const int kbs = divisor(kb, static_cast<int>(p.slot.tiles) / nbs);
    if (nbs * kbs >= best.nbs * best.kbs) best.nbs = nbs, best.kbs = kbs;
  }
  best.iterations = blocks / best.nbs;
  best.slots = best.kparts = kb / best.kbs;
  return best;
}

void matrices(Plan& p, const Encoder& model) {
  const int whole = static_cast<int>(p.slot.tiles) / (p.dk / 32);  // column blocks of a slot over the whole width
  p.uc = 32 * divisor(round_up(p.ffn, 32) / 32, std::max(32, whole * p.cols) / 32);
  p.fk = round_up(p.ffn, p.uc);
  p.slot.columns = u32(std::min(whole * p.cols, std::max(p.hn, p.uc)));
  p.layer.clear();
  for (const Layer& l : model.layers) {
    LayerPlan lp;
    lp.q = columns(p, l.q, p.heads, p.hn / p.cols);
    lp.k = columns(p, l.k, p.heads, p.hn / p.cols);
    lp.v = columns(p, l.v, p.heads, p.hn / p.cols);
    lp.o = accumulating(p, l.o);
    lp.up = columns(p, l.up, p.fk / p.uc, p.uc / p.cols);
    lp.down = accumulating(p, l.down);
    p.layer.push_back(lp);
  }
  const auto all = [](const MatrixPlan& m) { return u32(m.iterations * m.slots); };
  const LayerPlan& l = p.layer.front();
  p.slots_a = all(l.k) + all(l.v);
  p.slots_b = all(l.q) + all(l.o) + all(l.up) + all(l.down);
  p.out_columns = std::max(p.hn, p.uc);
  if (p.source == Source::patches) p.patch = accumulating(p, model.embedding.patch);
  p.head.clear(), p.slots_head = 0;
  if (p.head_rows == HeadRows::mean) p.output_columns = p.width, p.output_words = p.dn;
  for (const HeadStep& step : model.head.steps) {
    const int n = static_cast<int>(step.dense.w->n), k = static_cast<int>(step.dense.w->k);
    if (k > p.dk || (&step != &model.head.steps.back() && n != p.width))
      throw Error("plan", "dense layer of the head", std::to_string(k) + " to " + std::to_string(n), "as wide as the encoder");
    p.head.push_back(columns(p, step.dense, round_up(n, kHeadColumns) / kHeadColumns, kHeadColumns / p.cols));
    p.slots_head += all(p.head.back());
    p.output_columns = n, p.output_words = round_up(n, kHeadColumns);
  }
}

void slots(Plan& p) {
  SlotPlan& s = p.slot;
  bool channel = false;
  std::uint32_t weights = 0, most = 0;
  s.scale_bytes = 0;
  const auto fit = [&](const MatrixPlan& m) {
    channel |= m.channel();
    most = std::max(most, u32(m.slots));
    weights = std::max(weights, m.weight_bytes());
    s.scale_bytes = std::max(s.scale_bytes, u32(m.nbs * m.kbs * m.scale_bytes));
    s.columns = std::max(s.columns, u32(m.nbs * p.cols));
    if (m.channel()) p.out_columns = std::max(p.out_columns, m.nbs * p.cols);
  };
  for (const LayerPlan& l : p.layer)
    for (const MatrixPlan* m : {&l.q, &l.k, &l.v, &l.o, &l.up, &l.down}) fit(*m);
  if (p.source == Source::patches) fit(p.patch);
  for (const MatrixPlan& m : p.head) fit(m);
  s.weight_bytes = u32(round_up(static_cast<int>(weights), 32 * p.cols));  // so that scales of slots share no word of their memory
  s.param_bytes = s.columns * 4 * (channel ? 2 : 1);
  s.stride = (s.weight_bytes + s.scale_bytes + s.param_bytes + 63) / 64 * 64;
  // With shorter formats more slots fit.
  s.ring = std::min(p.k_area / s.weight_bytes, 16u);
  // Two iterations may be queued before the vector engine's work on the first.
  s.params = s.ring + std::max(6u, 2 * most + 1);
}

// Vector memory for blocks of `rows`; returns the words needed.
std::uint32_t vector_memory(Plan& p, int rows) {
  const int c = p.cols;
  schedule::Places place(c);
  const auto take = [&](long long words) { return place.take(words); };
  p.rows = rows;
  p.params = take(static_cast<long long>(p.slot.params) * p.slot.param_bytes / 4);
  p.x = take(static_cast<long long>(rows) * p.dn);
  p.norms = take(2LL * p.dn);
  for (std::uint32_t* v : {&p.part, &p.total, &p.mean, &p.deviation, &p.maxima, &p.sums}) *v = take(rows);
  p.vscale_in = take(p.chunk > 0 ? 2 * p.chunk : p.keys);
  if (p.chunk > 0) p.state = take(rows);
  if (p.merge > 0) {
    for (std::uint32_t* v : {&p.sizes, &p.lengths, &p.list}) *v = take(p.keys);
    for (std::uint32_t* v : {&p.odd_lengths, &p.best, &p.numbers}) *v = take(p.pairs());
  }
  p.vscale_out = take(static_cast<long long>(p.heads) * round_up(rows, c));
  p.out_words = u32(static_cast<long long>(rows) * p.out_columns);
  p.out = take(2LL * p.out_words);
  p.result = take(static_cast<long long>(rows) * p.hn);
  // Scores, what the activation needs, and rows on their way through a norm take turns.
  p.work_words = u32(std::max({static_cast<long long>(rows) * p.at_once(), 2LL * rows * p.uc, static_cast<long long>(p.dn), static_cast<long long>(p.patch_words)}));
  p.work = take(p.work_words);
  return place.at();
}

std::uint32_t activation_scratchpad(Plan& p) {
  schedule::Places place(32);
  const auto take = [&](long long bytes) { return place.take(bytes); };
  const long long rows = p.rows, heads = rows * p.heads * p.hk;
  p.xq_bytes = u32(rows * p.dk);
  p.xq = take(2LL * p.xq_bytes);
  p.q = take(rows * p.hk);
  // The feed-forward's rows share their place with what is dead by then.
  const std::uint32_t shared = place.at();
  p.hq = shared;
  p.y = take(rows * p.dk);
  const std::uint32_t either = place.at();
  p.kst = take(heads), p.vst = take(heads);
  const std::uint32_t end = place.at();
  place.back_to(either);
  p.oq = take(heads), p.pq = take(rows * p.at_once());
  return std::max({end, place.at(), shared + u32(rows * std::max({p.fk, p.patch_k, p.head.empty() ? 0 : p.dk}))});
}

bool fits(Plan& p, int rows) { return vector_memory(p, rows) <= p.config.vmem_bytes / 4 && activation_scratchpad(p) <= p.config.aspm_bytes; }

// By the rows of a block, as the sequencer does it: of n up to a context and a block, which 32 bits hold (kMostRows).
void division(Plan& p) {
  const std::uint32_t most = u32(p.context + p.rows), rows = u32(p.rows);
  const auto right = [&] {
    for (std::uint32_t n = 0; n < most; ++n)
      if (n * p.magic >> p.magic_shift != n / rows) return false;
    return true;
  };
  for (p.magic_shift = 16; p.magic_shift < 32; ++p.magic_shift) {
    p.magic = u32((1LL << p.magic_shift) / rows + 1);
    if (right()) return;
  }
  throw Error("plan", "context", std::to_string(p.context), "fewer rows");
}

// As few blocks as can be, all of nearly the same size.
void choose_rows(Plan& p) {
  int most = std::min(p.context, 256);
  while (most > 0 && !fits(p, most)) --most;
  if (most == 0)
    throw Error("plan", "one row of this encoder on " + std::string(p.config.name), std::to_string(vector_memory(p, 1)) + " words of vector memory, " +
                std::to_string(activation_scratchpad(p)) + " bytes of activations",
                "at most " + std::to_string(p.config.vmem_bytes / 4) + " and " + std::to_string(p.config.aspm_bytes));
  // Rows of x and their codes fill whole lines of DRAM.
  const int step = p.dn * 4 % 64 == 0 && p.dk % 64 == 0 ? 1 : 2;
  if (most < p.context) most = std::max(most / step * step, 1);
  const int blocks = (p.context + most - 1) / most, rows = (p.context + blocks - 1) / blocks;
  if (blocks > 1 && most % step != 0) throw Error("plan", "rows of a block on " + std::string(p.config.name), "1", "2 or more of this width");
  (void)fits(p, blocks > 1 ? round_up(rows, step) : rows);
  p.xs_pad = -p.rows * p.dk / 16 & 63;
  p.group = 1;
  while (p.group * 2 <= p.rows && u32(p.group * 2 * p.dn) <= p.work_words) p.group *= 2;
  division(p);
}

void dram(Plan& p) {
  const auto align = [](std::uint64_t x) { return (x + 63) / 64 * 64; };
  const auto layers = static_cast<std::uint64_t>(p.layers), dn = static_cast<std::uint64_t>(p.dn) * 4, rows = static_cast<std::uint64_t>(p.context);
  std::uint64_t at = 0;
  const auto put = [&](std::uint64_t bytes) {
    const std::uint64_t here = at;
    at = align(at + bytes);
    return u32(static_cast<long long>(here));
  };
  p.w_patch = put(static_cast<std::uint64_t>(p.patch.iterations * p.patch.slots) * p.slot.stride);
  p.w_stream = put(layers * (p.slots_a + p.slots_b) * p.slot.stride);
  p.w_head = put(std::uint64_t(p.slots_head) * p.slot.stride);
  p.w_norms = put((2 * layers + 3 + p.head.size()) * 2 * dn);
  p.w_words = put(static_cast<std::uint64_t>(p.vocab) * dn);
  p.w_types = put(static_cast<std::uint64_t>(p.type_count) * dn);
  p.w_positions = put(p.source == Source::hidden ? 0 : rows * dn);
  if (p.merge > 0) p.w_numbers = put(static_cast<std::uint64_t>(p.pairs()) * 4), p.w_rows = put(static_cast<std::uint64_t>(p.keys) * 4 + 4);
  if (at > 0xffffffffu) throw Error("plan", "weights window", std::to_string(at) + " bytes", "at most 4 GiB");
  p.w_bytes = u32(static_cast<long long>(at));
  at = 0;
  p.io_ids = put(p.source == Source::tokens ? rows * 4 : 0);
  p.io_types = put(p.type_count > 0 ? rows * 4 : 0);
  p.io_pixels = put(static_cast<std::uint64_t>(p.channels) * static_cast<std::uint64_t>(p.image) * static_cast<std::uint64_t>(p.image) * 4);
  p.io_out = put((p.head_rows == HeadRows::all ? rows : 1) * static_cast<std::uint64_t>(p.output_words) * 4);
  p.io_bytes = u32(static_cast<long long>(at));
  std::uint64_t w = 0;
  const auto take = [&](std::uint64_t bytes) {
    const std::uint64_t here = w;
    w = align(w + bytes);
    return u32(static_cast<long long>(here));
  };
  const auto heads = static_cast<std::uint64_t>(p.heads), keys = static_cast<std::uint64_t>(p.keys);
  const auto hk = static_cast<std::uint64_t>(p.hk), hn = static_cast<std::uint64_t>(p.hn);
  p.d_x = take(rows * static_cast<std::uint64_t>(p.dn) * 4);
  const std::uint64_t dk = static_cast<std::uint64_t>(p.dk), blocks = rows / static_cast<std::uint64_t>(p.rows) + 1;
  p.d_xq = take(rows * dk), p.d_xs = take(rows * dk / 16 + blocks * static_cast<std::uint64_t>(p.xs_pad));
  p.d_k = take(heads * keys * hk), p.d_ks = take(heads * keys * hk / 16);
  p.d_v = take(heads * keys * hn), p.d_vs = take(heads * keys * 4);
  if (p.merge > 0) p.d_sizes = take(keys * 4), p.d_lengths = take(keys * 4);
  if (w > 0xffffffffu) throw Error("plan", "activations window", std::to_string(w) + " bytes", "at most 4 GiB");
  p.d_bytes = u32(static_cast<long long>(w));
}

// One block of similarities in x's place, their even rows in the feed-forward's; a number of 8 bits for odd rows.
void check_merging(const Plan& p) {
  if (p.merge == 0) return;
  const int last = p.context - p.merge * (p.layers - 1), even = (p.context + 1) / 2;
  const auto need = [&](bool good, const std::string& found, const std::string& expected) {
    if (!good) throw Error("plan", "rows merged in a layer", found, expected);
  };
  const std::string merge = std::to_string(p.merge);
  need(p.norm_first && !p.causal && p.source != Source::tokens && p.head_rows != HeadRows::last, merge + " of this model", "0: only images' encoders (ViT, CLIP) may merge");
  need(p.merge > 0 && p.merge <= 16, merge, "0 to 16");
  need((last + 1) / 2 > p.merge, merge + " of " + std::to_string(p.context) + " rows in each of " + std::to_string(p.layers) + " layers", "so few that the last layer has twice as many left");
  need(p.chunk == 0 && p.rows >= 2 && static_cast<long long>(even) * p.pairs() <= static_cast<long long>(p.rows) * p.dn && even * p.hk <= p.rows * std::max(p.fk, p.patch_k),
       merge + " of " + std::to_string(p.context) + " rows on " + std::string(p.config.name), "0, or rows whose similarities fit in the place of a block (a larger configuration)");
}

}  // namespace

Plan make_plan(const Encoder& model, const spec::Config& config) {
  Plan p;
  p.config = config;
  shape(p, model);
  weight_scratchpad(p);
  matrices(p, model);
  slots(p);
  choose_rows(p);
  check_merging(p);
  dram(p);
  return p;
}

}  // namespace jogak::encoder
