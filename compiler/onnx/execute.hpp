// Running an imported model on anything that runs its graph: conversion at the border.
#pragma once
#include <functional>

#include "import.hpp"

namespace jogak::onnx {

using Arrays = std::map<std::string, Array>;
using Floats = std::map<std::string, std::vector<float>>;
using Execute = std::function<Floats(const Floats& inputs)>;

// Inputs by name in any known type, checked against the model's shapes; integers beyond what fp32 holds exactly are
// refused. Texts become numbers, equal ones for equal texts. Outputs come in the model's types. `execute` is not called when every output is known.
Arrays run(const Imported& model, const Arrays& inputs, const Execute& execute);

}  // namespace jogak::onnx
