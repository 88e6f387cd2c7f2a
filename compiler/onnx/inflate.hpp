// DEFLATE (RFC 1951) decompression of archive members.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace jogak::onnx {

// `size` is what the archive says; throws jogak::Error naming `part` where the data is broken or is not of that size.
std::vector<std::byte> inflate(std::span<const std::byte> data, std::size_t size, const std::string& part);

}  // namespace jogak::onnx
