// Examples from files: NumPy arrays, lines of numbers, images.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace jogak::eval {

struct Labelled {
  std::int64_t features = 0;      // of an example
  std::vector<float> values;      // [examples][features]
  std::vector<int> classes = {};  // [examples][each]; empty: not known
  std::int64_t each = 1;          // classes of an example
  std::int64_t size() const { return features == 0 ? 0 : static_cast<std::int64_t>(values.size()) / features; }
};
// .csv: numbers, the class last, lines that start with no number skipped; .npz: x [n, ..] and y [n] or [n, rows]. Values become value * scale + offset.
// most: examples, 0: all. Throws jogak::Error for a file without examples or with lines of different length.
Labelled read_labelled(const std::filesystem::path& path, double scale, double offset, int most);

// Examples of `shape` ([features], or [channels, height, width]; none: as many features as they have) to calibrate on. .npy [n, ..]; .npz with `x`, an array named as one of `names`,
// or only one; .csv of numbers, where a class behind them is left out; .png of 8 bits a channel, of just this size, grey or in colour,
// or a folder of them in the order of their names. Values as above; those of images are 0 to 255.
Labelled read_examples(const std::filesystem::path& path, const std::vector<std::string>& names, const std::vector<std::int64_t>& shape, double scale, double offset, int most);

}  // namespace jogak::eval
