// An encoder's weights as its program reads them.
#pragma once
#include <cstdint>
#include <vector>

#include "plan.hpp"

namespace jogak::encoder {

// Window 0: the streams of slots, norms, tables of the embedding.
std::vector<std::uint8_t> pack_weights(const Encoder& model, const Plan& plan);

}  // namespace jogak::encoder
