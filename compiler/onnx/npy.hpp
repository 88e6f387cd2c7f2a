// NumPy's array files: .npy, and .npz of numpy.savez and savez_compressed.
#pragma once
#include <filesystem>
#include <map>

#include "array.hpp"

namespace jogak::onnx {

// Little-endian C-order arrays of bool, integers and float16/32/64. Throws jogak::Error for anything else.
Array parse_npy(std::span<const std::byte> file, const std::string& name);
std::map<std::string, Array> parse_npz(std::span<const std::byte> file, const std::string& name);
// Types that NumPy lacks are written as float32.
std::vector<std::byte> to_npy(const Array& array);

// By suffix: the arrays of an .npz, or one array named by the file's stem.
std::map<std::string, Array> read_arrays(const std::filesystem::path& path);
void write_npy(const std::filesystem::path& path, const Array& array);

}  // namespace jogak::onnx
