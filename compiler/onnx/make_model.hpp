// Small ONNX files made in memory, for tests.
#pragma once
#include <cstring>

#include "container.pb.h"
#include "model.hpp"

namespace jogak::onnx {

inline pb::ValueInfo* port(pb::ValueInfo* v, const std::string& name, const std::vector<std::string>& shape, Type type = Type::f32) {
  v->set_name(name);
  auto* tensor = v->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(static_cast<int>(type));
  tensor->mutable_shape();
  for (const std::string& size : shape) {
    auto* d = tensor->mutable_shape()->add_dim();
    if (size.find_first_not_of("0123456789") == std::string::npos) d->set_dim_value(std::stoll(size));
    else d->set_dim_param(size);
  }
  return v;
}

inline pb::Node* node(pb::Model& m, const std::string& op, const std::vector<std::string>& in, const std::vector<std::string>& out,
                      const std::string& name = "") {
  pb::Node* n = m.mutable_graph()->add_node();
  n->set_op_type(op);
  n->set_name(name.empty() ? "the_" + op : name);
  for (const auto& s : in) n->add_input(s);
  for (const auto& s : out) n->add_output(s);
  return n;
}

inline pb::Tensor* weights(pb::Model& m, const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
  pb::Tensor* t = m.mutable_graph()->add_initializer();
  t->set_name(name);
  t->set_data_type(1);
  for (const auto d : shape) t->add_dims(d);
  t->set_raw_data(values.data(), values.size() * sizeof(float));
  return t;
}

inline void integers(pb::Model& m, const std::string& name, const std::vector<std::int64_t>& values) {
  pb::Tensor* t = m.mutable_graph()->add_initializer();
  t->set_name(name);
  t->set_data_type(7);
  t->add_dims(static_cast<std::int64_t>(values.size()));
  for (const auto v : values) t->add_int64_data(v);
}

// x [2, 3] -> y, without nodes yet.
inline pb::Model empty_model(std::int64_t opset = 17) {
  pb::Model m;
  m.set_ir_version(8);
  m.add_opset_import()->set_version(opset);
  port(m.mutable_graph()->add_input(), "x", {"2", "3"});
  port(m.mutable_graph()->add_output(), "y", {"2", "3"});
  return m;
}

inline Model parsed(const pb::Model& m, const std::filesystem::path& folder = {}) {
  std::string bytes;
  m.SerializeToString(&bytes);
  return parse_model(std::as_bytes(std::span(bytes.data(), bytes.size())), folder);
}

}  // namespace jogak::onnx
