#include "examples.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "error.hpp"
#include "onnx/npy.hpp"
#include "png.hpp"

namespace jogak::eval {
namespace {

namespace fs = std::filesystem;

// Lines of numbers, all of the same length; others before them are skipped.
std::vector<std::vector<float>> read_lines(const fs::path& path, int most, const std::string& expected) {
  std::ifstream in(path);
  if (!in) throw Error("eval", "file " + path.string(), "nothing that can be read", expected);
  std::vector<std::vector<float>> lines;
  for (std::string line; std::getline(in, line) && (most == 0 || static_cast<int>(lines.size()) < most);) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream words(line);
    std::vector<float> row;
    for (float x = 0; words >> x;) row.push_back(x);
    if (row.empty()) continue;
    if (!words.eof() || (!lines.empty() && row.size() != lines.front().size()))
      throw Error("eval", "line of " + path.filename().string(), line.substr(0, 40),
                  lines.empty() ? "numbers" : std::to_string(lines.front().size() - 1) + " numbers and a class, as in the first line");
    lines.push_back(std::move(row));
  }
  return lines;
}

void read_csv(const fs::path& path, Labelled& data, int most) {
  for (const auto& row : read_lines(path, most, "labelled examples, .csv or .npz")) {
    data.features = static_cast<std::int64_t>(row.size()) - 1;
    if (data.features == 0) throw Error("eval", "line of " + path.filename().string(), "one number", "numbers and a class");
    data.values.insert(data.values.end(), row.begin(), row.end() - 1);
    data.classes.push_back(static_cast<int>(row.back()));
  }
}

// [n, ..], at most `most` of them.
void take(const onnx::Array& x, Labelled& data, int most, const std::string& name) {
  if (x.shape.empty() || x.shape[0] < 1) throw Error("eval", "shape of " + name, onnx::to_string(x.shape), "[examples, ..]");
  data.values = x.floats();
  data.features = static_cast<std::int64_t>(data.values.size()) / x.shape[0];
  if (most > 0 && x.shape[0] > most) data.values.resize(static_cast<std::size_t>(most * data.features));
}

void read_npz(const fs::path& path, Labelled& data, int most) {
  const auto arrays = onnx::read_arrays(path);
  const auto x = arrays.find("x"), y = arrays.find("y");
  if (x == arrays.end() || y == arrays.end() || x->second.shape.empty() || y->second.shape.empty() || y->second.shape.size() > 2 || y->second.shape[0] != x->second.shape[0])
    throw Error("eval", "arrays of " + path.filename().string(), "others", "x [n, ..] and y [n] or [n, rows]");
  take(x->second, data, most, "x");
  data.each = y->second.shape.size() == 2 ? y->second.shape[1] : 1;
  for (const auto c : y->second.integers()) data.classes.push_back(static_cast<int>(c));
  data.classes.resize(static_cast<std::size_t>(data.size() * data.each));
}

void scaled(Labelled& data, double scale, double offset) {
  if (scale == 1 && offset == 0) return;
  for (float& x : data.values) x = static_cast<float>(x * scale + offset);
}

void read_images(const fs::path& path, const std::vector<std::int64_t>& shape, Labelled& data, int most) {
  if (shape.size() != 3) throw Error("eval", "images", path.filename().string(), "examples for a model whose input is no [channels, height, width]");
  std::vector<fs::path> files;
  if (!fs::is_directory(path)) files.push_back(path);
  else
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.path().extension() == ".png") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (most > 0 && static_cast<int>(files.size()) > most) files.resize(static_cast<std::size_t>(most));
  for (const fs::path& file : files) {
    const std::vector<float> image = read_png(file, shape);
    data.values.insert(data.values.end(), image.begin(), image.end());
  }
  data.features = shape[0] * shape[1] * shape[2];
}

const onnx::Array& only(const std::map<std::string, onnx::Array>& arrays, const std::vector<std::string>& names, const fs::path& path) {
  for (const std::string& name : names)
    for (const std::string& as : {name, "in:" + name})  // beside expected outputs, as run --input has it
      if (const auto found = arrays.find(as); found != arrays.end()) return found->second;
  if (const auto x = arrays.find("x"); x != arrays.end()) return x->second;
  if (arrays.size() == 1) return arrays.begin()->second;
  throw Error("eval", "arrays of " + path.filename().string(), std::to_string(arrays.size()), "one, or one named x or " + (names.empty() ? std::string("as the input") : names.front()));
}

}  // namespace

Labelled read_labelled(const fs::path& path, double scale, double offset, int most) {
  Labelled data;
  if (path.extension() == ".npz") read_npz(path, data, most);
  else read_csv(path, data, most);
  if (data.classes.empty()) throw Error("eval", "examples in " + path.filename().string(), "none", "one at least");
  scaled(data, scale, offset);
  return data;
}

Labelled read_examples(const fs::path& path, const std::vector<std::string>& names, const std::vector<std::int64_t>& shape, double scale, double offset, int most) {
  Labelled data;
  std::int64_t features = shape.empty() ? 0 : 1;
  for (const auto d : shape) features *= d;
  if (path.extension() == ".npz" || path.extension() == ".npy") {
    take(only(onnx::read_arrays(path), names, path), data, most, path.filename().string());
  } else if (path.extension() == ".png" || fs::is_directory(path)) {
    read_images(path, shape, data, most);
  } else if (path.extension() == ".csv") {
    for (const auto& row : read_lines(path, most, "examples to calibrate on")) {
      data.features = features > 0 && static_cast<std::int64_t>(row.size()) == features + 1 ? features : static_cast<std::int64_t>(row.size());
      data.values.insert(data.values.end(), row.begin(), row.begin() + data.features);
    }
  } else {
    throw Error("eval", "file to calibrate on", path.filename().string(), ".npy, .npz, .csv, .png or a folder of .png");
  }
  if (data.size() == 0) throw Error("eval", "examples in " + path.filename().string(), "none", "one at least");
  if (features > 0 && data.features != features) throw Error("eval", "values of an example in " + path.filename().string(), std::to_string(data.features), std::to_string(features));
  scaled(data, scale, offset);
  return data;
}

}  // namespace jogak::eval
