// Files: good ones are read, every bad one is refused by name.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "error.hpp"
#include "import.hpp"
#include "make_model.hpp"

using namespace jogak::onnx;
namespace fs = std::filesystem;

namespace {

pb::Model relu() {
  pb::Model m = empty_model();
  node(m, "Relu", {"x"}, {"y"});
  return m;
}

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const jogak::Error& e) {
    return e.what();
  }
  return "(accepted)";
}
std::string refusal(const pb::Model& m, const fs::path& folder = {}) {
  return refusal([&] { import_model(parsed(m, folder), {}); });
}
void check_has(const std::string& text, const std::vector<std::string>& parts) {
  INFO(text);
  for (const auto& p : parts) CHECK(text.find(p) != std::string::npos);
}

// A folder with data.bin (24 bytes), beside a secret that a model must not reach.
struct Folder {
  fs::path root = fs::temp_directory_path() / ("jogak_onnx_read_test_" + std::to_string(getpid())), model = root / "model";
  Folder() {
    fs::remove_all(root);
    fs::create_directories(model);
    const float values[6] = {1, 2, 3, 4, 5, 6};
    for (const fs::path& p : {model / "data.bin", root / "secret.bin"})
      std::ofstream(p, std::ios::binary).write(reinterpret_cast<const char*>(values), sizeof values);
    fs::create_symlink(root / "secret.bin", model / "link.bin");
  }
  ~Folder() { fs::remove_all(root); }
};

pb::Model with_external(const std::string& location, const std::string& offset = "", const std::string& length = "") {
  pb::Model m = empty_model();
  node(m, "Add", {"x", "w"}, {"y"});
  pb::Tensor* t = weights(m, "w", {2, 3}, {});
  t->clear_raw_data();
  t->set_data_location(1);
  for (const auto& [key, value] : {std::pair{"location", location}, {"offset", offset}, {"length", length}}) {
    if (value.empty()) continue;
    auto* e = t->add_external_data();
    e->set_key(key);
    e->set_value(value);
  }
  return m;
}

}  // namespace

TEST_CASE("a small model becomes a graph") {
  const Imported m = import_model(parsed(relu()), {});
  CHECK(m.graph.nodes().size() == 1);
  CHECK(m.outputs.at(0).shape == Shape{2, 3});
}

TEST_CASE("operators, operator sets and data types that do not run are named") {
  pb::Model m = empty_model();
  node(m, "Frobnicate", {"x"}, {"y"}, "layer.3/frob");
  check_has(refusal(m), {"layer.3/frob", "Frobnicate", "docs/onnx.md"});
  check_has(refusal([] { parsed(empty_model(99)); }), {"operator set", "99", "version_converter"});
  m = relu();
  m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(8);
  check_has(refusal(m), {"the_Relu", "found text", "Equal"});
  m = relu();
  m.add_functions()->set_name("local");
  check_has(refusal(m), {"local", "inline"});
  m = empty_model();
  pb::Node* n = node(m, "Concat", {"x", "w"}, {"y"}, "join");
  n->add_attribute()->set_name("axis");
  n->mutable_attribute(0)->set_type(2);
  weights(m, "w", {3}, {1, 2, 3});
  check_has(refusal(m), {"join", "ranks"});
}

TEST_CASE("nodes that lack inputs or get nothing are named") {
  pb::Model m = empty_model();
  node(m, "Concat", {}, {"y"}, "alone");
  check_has(refusal(m), {"alone", "inputs"});
  m = empty_model();
  node(m, "Gemm", {"x"}, {"y"}, "half");
  check_has(refusal(m), {"half", "input 1"});
  m = empty_model();
  node(m, "MatMul", {"x", "none"}, {"y"}, "product");
  weights(m, "none", {3, 0}, {});
  check_has(refusal(m), {"product", "no elements"});
  m = empty_model();
  node(m, "GroupNormalization", {"one", "one", "one"}, {"y"}, "norm");
  weights(m, "one", {1}, {1});
  check_has(refusal(m), {"norm", "attributes"});
}

TEST_CASE("sizes with names need numbers") {
  pb::Model m = relu();
  m.mutable_graph()->clear_input();
  port(m.mutable_graph()->add_input(), "x", {"batch", "3"});
  check_has(refusal(m), {"input 'x'", "batch", "batch=SIZE"});
  ImportOptions options;
  options.sizes["batch"] = 5;
  CHECK(import_model(parsed(m), options).outputs.at(0).shape == Shape{5, 3});
  m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  check_has(refusal(m), {"input 'x'", "shape"});
  options.shapes["x"] = {4, 3};
  CHECK(import_model(parsed(m), options).outputs.at(0).shape == Shape{4, 3});
}

TEST_CASE("graphs that cannot be ordered are named") {
  pb::Model m = empty_model();
  node(m, "Add", {"x", "b"}, {"a"}, "first");
  node(m, "Relu", {"a"}, {"b"}, "second");
  node(m, "Relu", {"b"}, {"y"});
  check_has(refusal(m), {"first", "cycle"});
  m = empty_model();
  node(m, "Add", {"x", "ghost"}, {"y"}, "adder");
  check_has(refusal(m), {"adder", "ghost"});
  m = relu();
  node(m, "Relu", {"x"}, {"y"}, "twice");
  check_has(refusal(m), {"twice", "made twice"});
  // Nodes in the wrong order are fine.
  m = empty_model();
  node(m, "Relu", {"a"}, {"y"});
  node(m, "Neg", {"x"}, {"a"});
  CHECK(import_model(parsed(m), {}).graph.nodes().size() == 2);
}

TEST_CASE("weights must be whole") {
  const auto with = [](const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    pb::Model m = empty_model();
    node(m, "Add", {"x", "w"}, {"y"});
    weights(m, "w", shape, values);
    return refusal(m);
  };
  CHECK(with({3}, {1, 2, 3}) == "(accepted)");
  check_has(with({3}, {1, NAN, 3}), {"tensor 'w'", "NaN"});
  check_has(with({3}, {1, 2}), {"tensor 'w'", "8", "12"});
  check_has(with({1 << 30, 1 << 30, 1 << 30}, {1}), {"tensor 'w'", "2^40"});
  check_has(with({-3}, {1}), {"tensor 'w'", "-3"});
  CHECK(with({3}, {1, -INFINITY, 3}) == "(accepted)");
}

TEST_CASE("external data stays inside the model's folder") {
  const Folder f;
  CHECK(refusal(with_external("data.bin"), f.model) == "(accepted)");
  CHECK(refusal(with_external("data.bin", "0", "24"), f.model) == "(accepted)");
  check_has(refusal(with_external("nothing.bin"), f.model), {"tensor 'w'", "nothing.bin", "missing"});
  check_has(refusal(with_external("../secret.bin"), f.model), {"../secret.bin", "inside"});
  check_has(refusal(with_external("sub/../../secret.bin"), f.model), {"inside"});
  check_has(refusal(with_external((f.root / "secret.bin").string()), f.model), {"inside"});
  check_has(refusal(with_external("link.bin"), f.model), {"link", "inside"});
  check_has(refusal(with_external("data.bin", "4"), f.model), {"24 bytes", "28"});
  check_has(refusal(with_external("data.bin", "18446744073709551615"), f.model), {"offset"});
  check_has(refusal(with_external("data.bin", "0", "12"), f.model), {"length", "24"});
  const fs::path file = f.model / "m.onnx";
  std::string bytes;
  with_external("data.bin").SerializeToString(&bytes);
  std::ofstream(file, std::ios::binary) << bytes;
  CHECK(read_model(file).graph.constants.at("w")->floats()[5] == 6);
  check_has(refusal([&] { read_model(f.model / "other.onnx"); }), {"other.onnx"});
}

TEST_CASE("damaged files are refused, wherever they are cut or changed") {
  pb::Model m = relu();
  node(m, "Add", {"y", "w"}, {"z"});
  weights(m, "w", {2, 3}, {1, 2, 3, 4, 5, 6});
  std::string good;
  m.SerializeToString(&good);
  const auto attempt = [](const std::string& bytes) {
    try {
      import_model(parse_model(std::as_bytes(std::span(bytes.data(), bytes.size())), {}), {});
    } catch (const jogak::Error&) {
    }
  };
  for (std::size_t cut = 0; cut < good.size(); ++cut) attempt(good.substr(0, cut));
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const int flip : {1, 128, 255}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      attempt(bad);
    }
  check_has(refusal([] { parse_model({}, {}); }), {"ONNX model"});
}
