// Images as a model wants them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace jogak::eval {

// A .png of [channels, height, width], channels 1 (grey) or 3: values 0 to 255, channel by channel. Throws jogak::Error for a file that is
// none, another size (nothing is resized here), or where the project was built without libpng.
std::vector<float> read_png(const std::filesystem::path& path, const std::vector<std::int64_t>& shape);

}  // namespace jogak::eval
