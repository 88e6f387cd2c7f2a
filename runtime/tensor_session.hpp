// A tensor program on a device: named tensors in, named tensors out.
//
//   TensorSession session(read_program("net.jgk"), "model");
//   session.set("x", std::span<const float>(pixels));
//   session.run();
//   std::vector<float> y = session.get("y");
//
// Methods throw jogak::Error ("part: what, found, expected"). One thread at a time.
#pragma once

#include "loaded.hpp"

namespace jogak {

struct TensorPort {
  std::string name, dtype;  // "f32", "i32", "bool"
  std::vector<std::uint64_t> shape;
  std::uint64_t elements() const;
};

class TensorSession {
 public:
  // Refuses a program that is no tensor graph. The device serves this session alone.
  TensorSession(const Program& program, const std::string& backend);
  TensorSession(const Program& program, std::unique_ptr<driver::Device> device);

  const std::vector<TensorPort>& inputs() const { return inputs_; }
  const std::vector<TensorPort>& outputs() const { return outputs_; }

  // Row-major values; integers only up to 2^24 in magnitude, 0 or 1 for bool. They stay until they are set again.
  void set(const std::string& name, std::span<const float> values);
  void set(const std::string& name, std::span<const std::int32_t> values);
  // One pass over the graph; refused while an input was never set.
  LaunchRecord run();
  std::vector<float> get(const std::string& name) const;
  std::vector<std::int32_t> get_integers(const std::string& name) const;  // of an i32 or bool output

 private:
  const TensorPort& port(const std::vector<TensorPort>& ports, const std::string& kind, const std::string& name) const;

  std::vector<Symbol> symbols_;
  std::unique_ptr<driver::Device> device_;
  Loaded loaded_;
  std::vector<TensorPort> inputs_, outputs_;
  std::vector<bool> set_;
};

}  // namespace jogak
