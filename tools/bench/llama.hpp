// A synthetic Llama program on the models and on RTL or HLS kernel.
#pragma once
#include "compiler/compile.hpp"
#include "compiler/import/llama.hpp"
#include "pair.hpp"

namespace jogak::bench {

class LlamaPair {
 public:
  LlamaPair(const import::LlamaHyper& hyper, const std::string& config, const std::string& format, Pair::On on = Pair::On::rtl);

  int rows() const { return rows_; }
  const Program& program() const { return program_; }  // without the bytes of its segments
  // Tokens position .. position + rows - 1 (any ids) into the cache, model only.
  void advance(int position, int rows);
  // The same launch on both, logits of the last row.
  Measured measure(int position, int rows);
  Timed time(int position, int rows);

 private:
  std::array<std::uint32_t, 4> prepare(int position, int rows);

  import::LlamaHyper hyper_;
  Program program_;
  int rows_ = 0;
  std::unique_ptr<Pair> pair_;
};

}  // namespace jogak::bench
