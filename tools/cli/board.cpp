#include "board.hpp"

#include "sim/package/spec.hpp"

namespace jogak::cli {
namespace {

package::Board board_of(const package::PackageSpec& spec) {
  const double ghz = spec.clock_mhz / 1000.0;
  package::Board b{.name = spec.name, .mesh = {spec.columns, spec.rows}};
  for (std::uint32_t place = 0; place < spec.dies.size(); ++place) {
    const package::Die& d = spec.dies[place];
    if (d.kind == package::DieKind::compute) b.compute.push_back(place);
    auto& links = b.links.emplace_back();
    for (std::size_t side = 0; side < links.size(); ++side)  // both name them in this order
      if (const auto& l = d.links[side]) links[side] = {l->gb_per_s() * package::kPayload / ghz, l->latency_ns * ghz};
  }
  return b;
}

}  // namespace

void take_package(CompileOptions& options, const std::string& file, Given given) {
  if (file.empty()) return;
  const package::PackageSpec spec = package::read_package(file);
  package::Board board = board_of(spec);
  if (!given.config) options.config = spec.config();
  if (!given.dies) options.dies = static_cast<int>(board.compute.size());
  if (options.dies > 1) options.board = std::move(board);
}

void need_several_dies(const char* part, const std::string& file, std::size_t dies) {
  if (!file.empty() && dies == 1) throw Error(part, "--package", "a program for one die", "one for a package (--dies)");
}

}  // namespace jogak::cli
