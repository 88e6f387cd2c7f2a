// Top-1 of a trained vision transformer on labelled digits.
#include "tools/eval/classify.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "error.hpp"
#include "tensor/lower.hpp"

using namespace jogak;

namespace {

constexpr const char* kModel = "tests/onnx/vit_digits.onnx";
constexpr const char* kData = "tests/onnx/digits.csv";

std::filesystem::path written(const std::string& text) {
  const auto path = std::filesystem::temp_directory_path() / ("jogak_labels_" + std::to_string(getpid()) + ".csv");
  std::ofstream(path) << text;
  return path;
}

}  // namespace

TEST_CASE("labelled data: the class is last, headers are skipped, ragged lines refused") {
  const auto path = written("a,b,class\n1,2,7\n3,4,8\n\n5,6,9\n");
  const eval::Labelled d = eval::read_labelled(path, 0.5, -1, 2);
  CHECK(d.features == 2);
  CHECK(d.classes == std::vector<int>{7, 8});
  CHECK(d.values == std::vector<float>{-0.5f, 0, 0.5f, 1});
  CHECK_THROWS_WITH_AS(eval::read_labelled(written("1,2,3\n1,2\n"), 1, 0, 0), doctest::Contains("2 numbers and a class"), Error);
  CHECK_THROWS_WITH_AS(eval::read_labelled(written("1,2,x\n"), 1, 0, 0), doctest::Contains("line of"), Error);
  CHECK_THROWS_WITH_AS(eval::read_labelled(written("class\n"), 1, 0, 0), doctest::Contains("examples"), Error);
  std::filesystem::remove(path);
}

TEST_CASE("a vision transformer: the machine's top-1 is the reference's, each format within its bound, the worst product has a name") {
  const eval::Labelled data = eval::read_labelled(kData, 0.125, -1, 0);
  REQUIRE(data.size() == 96);
  const auto r = eval::classify(kModel, data, {"exact", "int8", "mxint8", "mxfp4"}, {.config = "edge", .batch = 32, .layer_examples = 8});
  REQUIRE(r.size() == 5);
  CHECK(r[0].top1 == doctest::Approx(89.0 / 96));  // as its trainer counts them; 96.4 % on all of the test set
  CHECK(r[1].same == 1);
  CHECK(r[1].error < 1e-5);
  CHECK(r[2].same >= 0.97);
  CHECK(r[2].error < 0.03);
  CHECK(r[3].same >= 0.97);
  CHECK(r[3].error < 0.03);
  CHECK(r[4].same >= 0.9);
  CHECK(r[4].error < 0.3);
  CHECK(r[4].error > r[2].error);
  CHECK(r[2].layers.size() == 4 * 8 + 2);  // eight products in each layer, patches, classes
  CHECK(r[2].layers.front().error >= r[2].layers.back().error);
  CHECK_THROWS_WITH_AS(eval::classify(kModel, data, {"int3"}, {}), doctest::Contains("int3"), Error);
  eval::Labelled other = data;
  other.features = 63;
  CHECK_THROWS_WITH_AS(eval::classify(kModel, other, {"int8"}, {}), doctest::Contains("values of an example"), Error);
}

TEST_CASE("mixed products: a vision transformer within a budget of bytes is nearer to fp32 than mxfp4, and the program names the formats") {
  const eval::ClassifyOptions options{.config = "edge", .batch = 16, .layer_examples = 0};
  const auto graph = eval::graph_of(kModel, options);
  const auto all = eval::int8_bytes(graph);
  eval::Labelled few = eval::read_labelled(kData, 0.125, -1, 16);
  const eval::Mixed m = eval::mix_tensors(graph, few, {all * 7 / 10, 0}, {});
  CHECK(m.picked.bytes <= all * 7 / 10);
  CHECK(m.choices.size() == 4 * 6 + 2);
  CHECK(m.by_layer);
  const auto r = eval::classify(kModel, few, {"mxfp4"}, options, &m);
  REQUIRE(r.size() == 3);
  CHECK(r[2].format == "mixed");
  CHECK(r[2].error < r[1].error);
  const eval::Mixed good = eval::mix_tensors(graph, few, {0, m.measured / 4}, {});
  CHECK(good.measured <= m.measured / 4);
  tensor::Graph mixed = graph;
  eval::apply(mixed, m);
  const std::string abi = tensor::lower(mixed, {.config = "edge"}).abi;
  CHECK(abi.find("\"format_of\"") != std::string::npos);
  few.features = 7;
  CHECK_THROWS_WITH_AS((void)eval::mix_tensors(graph, few, {1000, 0}, {}), doctest::Contains("a part of the input's"), Error);
}
