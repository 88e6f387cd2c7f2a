// Published accelerators against the model: the NVDLA family.
#pragma once

#include "area.hpp"

namespace jogak::ppa {

struct Prediction {
  double macs, published, predicted;
  double error() const { return predicted / published - 1; }
};

enum class Quantity { area_28, area_16, peak_16, mean_16 };

// Two parameters (a factor of the structural part, a constant) fitted without the size that is predicted.
// Area: memories by the table and node scaling, unfitted; logic in proportion to an array of that many cells, columns
// and lanes. Power: in proportion to the energy of that many multiply-accumulates at 1 GHz.
std::vector<Prediction> nvdla_left_out(const AreaModel& model, Quantity quantity);

}  // namespace jogak::ppa
