// Program errors inside one command: destinations that overlap each other or what is read.
#include <algorithm>

#include "race.hpp"

namespace jogak::model {

namespace {

struct Run {
  u64 first, end;
};

std::vector<Run> rows_of(u64 base, u64 stride, u64 rows, u64 length) {
  std::vector<Run> runs;
  for (u64 i = 0; i < rows; ++i) runs.push_back({base + i * stride, base + i * stride + length});
  return runs;
}

bool by_start(const Run& a, const Run& b) { return a.first < b.first; }

bool overlap_each_other(std::vector<Run> runs) {
  std::ranges::sort(runs, by_start);
  for (std::size_t i = 1; i < runs.size(); ++i) {
    if (runs[i].first < runs[i - 1].end) return true;
  }
  return false;
}

bool overlap(std::vector<Run> a, std::vector<Run> b) {
  std::ranges::sort(a, by_start);
  std::ranges::sort(b, by_start);
  u64 reach = 0;  // where everything of b that starts early enough ends
  std::size_t j = 0;
  for (const Run& run : a) {
    for (; j < b.size() && b[j].first < run.end; ++j) reach = std::max(reach, b[j].end);
    if (reach > run.first) return true;
  }
  return false;
}

std::string inside(const LoadCmd& c) {
  std::vector<Run> runs;
  for (u64 i2 = 0; i2 < c.n2; ++i2) {
    for (u64 i1 = 0; i1 < c.n1; ++i1) runs.push_back({c.onchip(i2, i1), c.onchip(i2, i1) + c.len});
  }
  if (overlap_each_other(runs)) return "on-chip rows overlap each other";
  const bool reads_list = c.gather && c.space == spec::Space::vmem;
  const std::vector<Run> list{{u64(c.idx) * 4, (u64(c.idx) + c.n1) * 4}};
  return reads_list && overlap(runs, list) ? "on-chip rows overlap the index list" : "";
}

std::string inside(const StoreCmd&) { return ""; }
std::string inside(const MmCmd&) { return ""; }  // shape faults already forbid it

std::string inside(const VecCmd& c) {
  const auto a = rows_of(c.a, c.as, c.rows, c.cols);
  const auto b = c.reads_b() ? rows_of(c.b, c.bs, c.rows, c.b_cols()) : std::vector<Run>{};
  const auto r = c.reduces() ? rows_of(c.r, 0, 1, c.rows) : std::vector<Run>{};
  if (overlap(r, a) || overlap(r, b)) return "r overlaps an operand";
  if (!c.wr) return "";
  const auto dst = rows_of(c.dst, c.ds, c.rows, c.cols);
  if (overlap(r, dst)) return "r overlaps dst";
  // In place: the same rows, each read only while it is written.
  const bool apart = !overlap_each_other(dst);
  const bool over_a = apart && c.dst == c.a && (c.ds == c.as || c.rows == 1);
  const bool over_b = apart && c.bmode == spec::Bmode::vector && c.dst == c.b &&
                      (c.ds == c.bs || c.rows == 1);
  if (!over_a && overlap(dst, a)) return "dst overlaps a without being the same box";
  if (!over_b && overlap(dst, b)) return "dst overlaps b without being the same box";
  return "";
}

std::string inside(const QntCmd& c) {
  const u64 bytes = u64(c.blocks()) * spec::limit::block;
  if (overlap_each_other(rows_of(c.dst, c.ds, c.rows, bytes))) return "destination rows overlap";
  if (!c.by_row()) return "";
  const bool clash = overlap(rows_of(c.r, 0, 1, c.rows), rows_of(c.a, c.as, c.rows, c.cols));
  return clash ? "r overlaps a" : "";
}

}  // namespace

std::string self_overlap(const Command& command, const Env&) {
  return std::visit([](const auto& c) { return c.empty() ? std::string() : inside(c); }, command);
}

}  // namespace jogak::model
