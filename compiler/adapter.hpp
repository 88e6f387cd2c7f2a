// LoRA adapters of finished programs: a folder in PEFT's form or a GGUF file becomes the bytes that Session::load_adapter takes, of a package one
// die's behind the other's.
//
//   session.load_adapter(pack_adapter(program, "my-adapter"));
#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "program.hpp"
#include "schedule/adapter_plan.hpp"

namespace jogak {

// Reads adapter_config.json and adapter_model.safetensors of a folder, or a GGUF of type adapter. A and B become int8 in blocks of 32, B times
// alpha / r. Throws jogak::Error naming the key, tensor or module for what is no LoRA of this model's q, k, v, o, gate, up and down projections
// (q, k and v, or gate and up, may be one matrix), has another shape, a rank above the program's, or values that are no numbers.
std::vector<std::uint8_t> pack_adapter(const Program& program, const std::filesystem::path& path);

// The highest rank in it: what a program must be compiled for.
int adapter_rank(const std::filesystem::path& path);

namespace schedule {
nlohmann::json to_json(const AdapterPlan& plan);
}

}  // namespace jogak
