// Shapes of decoders, without weights.
#pragma once
#include "llama.hpp"

namespace jogak::import {

struct Shape {
  std::string name, architecture;
  LlamaHyper hyper;
  bool tied = false;           // the head is the embedding
  bool mxfp4_experts = false;  // they carry over; else experts become what is asked for
};

// gpt-oss-20b as its publisher describes it.
Shape gptoss_20b();

}  // namespace jogak::import
