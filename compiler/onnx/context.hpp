// One ONNX node in work: what an operator's translation reads and writes.
#pragma once
#include <functional>

#include "build.hpp"
#include "error.hpp"
#include "model.hpp"

namespace jogak::onnx {

// A shape depends on a graph input whose value nobody gave.
struct NeedsValue : Error {
  NeedsValue(const std::string& part, const std::string& what, std::string port)
      : Error(part, what, "a value known only at run time",
              port.empty() ? "a constant" : "a constant: give input '" + port + "' a value when compiling"),
        input(std::move(port)) {}
  std::string input;
};

class Context {
 public:
  Context(Build& build, const Node& node, std::int64_t opset, std::map<std::string, Val>& values)
      : b(build), node_(node), opset_(opset), values_(values) {}

  Build& b;
  const Node& node() const { return node_; }
  std::int64_t opset() const { return opset_; }

  std::size_t inputs() const { return node_.inputs.size(); }
  std::size_t outputs() const { return node_.outputs.size(); }
  bool has(std::size_t i) const { return i < node_.inputs.size() && !node_.inputs[i].empty(); }
  bool wants(std::size_t i) const { return i < node_.outputs.size() && !node_.outputs[i].empty(); }
  Val in(std::size_t i) const;  // throws where it was left out
  std::vector<Val> all() const;
  void out(std::size_t i, Val v);
  void out(Val v) { out(0, std::move(v)); }

  bool has(const std::string& attribute) const { return node_.attributes.count(attribute) != 0; }
  const Attribute* attribute(const std::string& name) const;
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
  float number(const std::string& name, float otherwise) const;
  std::string text(const std::string& name, const std::string& otherwise) const;
  std::vector<std::int64_t> integers(const std::string& name, std::vector<std::int64_t> otherwise = {}) const;

  // Values of an input that decides a shape; throws NeedsValue.
  const Array& known(std::size_t i, const std::string& what) const;
  std::vector<std::int64_t> integers(std::size_t i, const std::string& what) const;
  std::int64_t integer(std::size_t i, const std::string& what) const;
  // From input i where there is one, else from the attribute of that name.
  std::vector<std::int64_t> integers(std::size_t i, const std::string& name, std::vector<std::int64_t> otherwise) const;
  // -rank .. rank - 1 becomes 0 .. rank - 1.
  std::int64_t axis(std::int64_t axis, std::int64_t rank) const;
  std::vector<std::int64_t> axes(std::vector<std::int64_t> axes, std::int64_t rank) const;
  // x as softmax and its like see it: a shape and the axis they go along. Before operator set 13 all axes
  // from `axis` on count as one.
  std::pair<Shape, std::int64_t> along(const Val& x) const;

  std::string part() const { return "onnx: " + node_.title(); }
  [[noreturn]] void refuse(const std::string& what, const std::string& found, const std::string& expected) const {
    throw Error(part(), what, found, expected);
  }

 private:
  const Node& node_;
  std::int64_t opset_;
  std::map<std::string, Val>& values_;
};

using Handler = std::function<void(Context&)>;
// By "domain:operator", ":Add" for ONNX's own.
using Registry = std::map<std::string, Handler>;
const Registry& registry();

}  // namespace jogak::onnx
