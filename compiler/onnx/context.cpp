#include "context.hpp"

namespace jogak::onnx {

Val Context::in(std::size_t i) const {
  if (!has(i)) refuse("input " + std::to_string(i), "none", "a value");
  const auto found = values_.find(node_.inputs[i]);
  if (found == values_.end()) refuse("input '" + node_.inputs[i] + "'", "no node before it that makes it", "a value");
  return found->second;
}
std::vector<Val> Context::all() const {
  std::vector<Val> out;
  for (std::size_t i = 0; i < inputs(); ++i) out.push_back(in(i));
  return out;
}
void Context::out(std::size_t i, Val v) {
  if (wants(i)) values_[node_.outputs[i]] = std::move(v);
}

const Attribute* Context::attribute(const std::string& name) const {
  const auto found = node_.attributes.find(name);
  return found == node_.attributes.end() ? nullptr : &found->second;
}
std::int64_t Context::integer(const std::string& name, std::int64_t otherwise) const {
  const Attribute* a = attribute(name);
  return a ? a->i : otherwise;
}
float Context::number(const std::string& name, float otherwise) const {
  const Attribute* a = attribute(name);
  return a ? a->f : otherwise;
}
std::string Context::text(const std::string& name, const std::string& otherwise) const {
  const Attribute* a = attribute(name);
  return a ? a->s : otherwise;
}
std::vector<std::int64_t> Context::integers(const std::string& name, std::vector<std::int64_t> otherwise) const {
  const Attribute* a = attribute(name);
  return a ? a->ints : otherwise;
}

const Array& Context::known(std::size_t i, const std::string& what) const {
  const Val v = in(i);
  if (!v.data) throw NeedsValue(part(), what, v.from);
  return *values_.at(node_.inputs[i]).data;
}
std::vector<std::int64_t> Context::integers(std::size_t i, const std::string& what) const {
  return known(i, what).integers();
}
std::int64_t Context::integer(std::size_t i, const std::string& what) const {
  const auto values = integers(i, what);
  if (values.size() != 1) refuse(what, std::to_string(values.size()) + " values", "one");
  return values[0];
}
std::vector<std::int64_t> Context::integers(std::size_t i, const std::string& name,
                                            std::vector<std::int64_t> otherwise) const {
  return has(i) ? integers(i, name) : integers(name, std::move(otherwise));
}

std::int64_t Context::axis(std::int64_t axis, std::int64_t rank) const {
  if (axis < -rank || axis >= rank)
    refuse("axis", std::to_string(axis), std::to_string(-rank) + " to " + std::to_string(rank - 1));
  return axis < 0 ? axis + rank : axis;
}
std::vector<std::int64_t> Context::axes(std::vector<std::int64_t> axes, std::int64_t rank) const {
  for (auto& a : axes) a = axis(a, rank);
  return axes;
}

std::pair<Shape, std::int64_t> Context::along(const Val& x) const {
  const bool flat = opset() < 13;
  const auto first = axis(integer("axis", flat ? 1 : -1), x.rank());
  if (!flat) return {x.shape, first};
  Shape two = {1, 1};
  for (std::int64_t i = 0; i < x.rank(); ++i) two[i < first ? 0 : 1] *= x.shape[static_cast<std::size_t>(i)];
  return {two, 1};
}

}  // namespace jogak::onnx
