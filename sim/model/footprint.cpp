#include "footprint.hpp"

namespace jogak::model {

namespace {

constexpr u64 kDramLine = 64;

class Collector {
 public:
  explicit Collector(const Env& env) : env_(env) {}
  std::vector<Touch> take() { return std::move(touches_); }

  void operator()(const LoadCmd& c) { dma(c, false); }
  void operator()(const StoreCmd& c) { dma(c, true); }

  void operator()(const MmCmd& c) {
    const u32 cols = env_.config.cols;
    for (u64 jn = 0; jn < c.nb; ++jn) {
      for (u64 jk = 0; jk < c.kb; ++jk) {
        read(Store::wspm, c.tile(jn, jk), c.tile_bytes(cols));
        if (c.has_wscale()) read(Store::wsc, c.scales(jn, jk), c.scale_set_bytes(cols));
        if (c.sparse) read(Store::wspm, c.indices(jn, jk), c.index_bytes(cols));
      }
      for (u64 i = 0; i < c.m; ++i) words(c.out(i, jn), cols, true);
    }
    for (u64 i = 0; i < c.m; ++i) {
      read(Store::aspm, c.act(i, 0), u64(c.kb) * c.depth());
      if (c.ascale == spec::Ascale::bf16) read(Store::asc, c.act(i, 0) / 16, u64(c.kb) * c.depth() / 16);
    }
  }

  void operator()(const VecCmd& c) {
    for (u64 i = 0; i < c.rows; ++i) {
      words(c.a + i * c.as, c.cols, false);
      if (c.reads_b()) words(c.b + i * c.bs, c.b_cols(), false);
      if (c.wr) words(c.dst + i * c.ds, c.cols, true);
    }
    if (c.reduces()) words(c.r, c.rows, true);
  }

  void operator()(const QntCmd& c) {
    for (u64 i = 0; i < c.rows; ++i) {
      const u64 first = c.dst + i * c.ds;
      words(c.a + i * c.as, c.cols, false);
      write(Store::aspm, first, u64(c.blocks()) * spec::limit::block);
      if (!c.by_row()) write(Store::asc, first / 16, u64(c.blocks()) * 2);
    }
    if (c.by_row()) words(c.r, c.rows, true);
  }

 private:
  void add(Store store, u64 first, u64 bytes, bool write) {
    touches_.push_back({store, first, first + bytes - 1, write});
  }
  void read(Store store, u64 first, u64 bytes) { add(store, first, bytes, false); }
  void write(Store store, u64 first, u64 bytes) { add(store, first, bytes, true); }
  void words(u64 first, u64 count, bool write) { add(Store::vmem, first * 4, count * 4, write); }

  void dma(const DmaBox& c, bool to_dram) {
    const auto chip = static_cast<Store>(c.space);
    const BoundWindow& window = env_.windows[c.win];
    if (c.gather) words(c.idx, c.n1, false);
    for (u64 i2 = 0; i2 < c.n2; ++i2) {
      for (u64 i1 = 0; i1 < c.n1; ++i1) {
        const u64 row = c.gather ? env_.memories.vmem[c.idx + i1] : i1;
        if (row * c.ds1 > window.size || c.dram(i2, row) + c.len > window.size) return;
        add(Store::dram, window.base + c.dram(i2, row), c.len, to_dram);
        add(chip, c.onchip(i2, i1), c.len, !to_dram);
      }
    }
  }

  const Env& env_;
  std::vector<Touch> touches_;
};

}  // namespace

std::vector<Touch> touches(const Command& command, const Env& env) {
  Collector collector(env);
  std::visit([&](const auto& c) { if (!c.empty()) collector(c); }, command);
  return collector.take();
}

u64 granule(Store store, const spec::Config& config) {
  switch (store) {
    case Store::wspm:
    case Store::wsc: return 2 * config.cols;
    case Store::aspm: return spec::limit::block;
    case Store::asc: return 2;
    case Store::vmem: return 4 * config.cols;
    case Store::dram: break;
  }
  return kDramLine;
}

}  // namespace jogak::model
