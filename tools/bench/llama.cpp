#include "llama.hpp"

#include <algorithm>
#include <cstring>

#include "compiler/import/synthetic.hpp"

namespace jogak::bench {

LlamaPair::LlamaPair(const import::LlamaHyper& hyper, const std::string& config, const std::string& format, Pair::On on) : hyper_(hyper) {
  program_ = compile(import::synthetic_llama(hyper, 1), {.config = config, .format = format}).program;
  rows_ = static_cast<int>(program_.find("logits")->shape[0]);
  const auto unused = std::find_if(program_.window_bytes.rbegin(), program_.window_bytes.rend(), [](std::uint64_t size) { return size > 0; }) - program_.window_bytes.rbegin();
  pair_ = std::make_unique<Pair>(*spec::find_config(config.c_str()), program_.code,
                                 std::vector<std::uint64_t>(program_.window_bytes.begin(), program_.window_bytes.end() - unused), on);
  for (Segment& s : program_.segments) {
    auto to = pair_->window(s.window).begin() + static_cast<std::ptrdiff_t>(s.offset);
    s.pieces([&](std::span<const std::uint8_t> piece) { to = std::copy(piece.begin(), piece.end(), to); });
    s.bytes = {}, s.source = nullptr;
  }
}

std::array<std::uint32_t, 4> LlamaPair::prepare(int position, int rows) {
  const auto tokens = pair_->window(2).subspan(static_cast<std::size_t>(program_.find("tokens")->offset));
  for (int i = 0; i < rows; ++i) {
    const std::int32_t id = (position + i) * 37 % hyper_.vocab;
    std::memcpy(tokens.data() + 4 * i, &id, sizeof id);
  }
  return {static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(rows - 1), 1};
}

void LlamaPair::advance(int position, int rows) { pair_->advance(prepare(position, rows)); }
Timed LlamaPair::time(int position, int rows) { return pair_->time(prepare(position, rows)); }
Measured LlamaPair::measure(int position, int rows) { return pair_->measure(prepare(position, rows)); }

}  // namespace jogak::bench
