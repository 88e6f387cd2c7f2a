#include "tensor_session.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace jogak {
namespace {

constexpr const char *kInput = "input/", *kOutput = "output/";
constexpr float kMostInteger = 0x1p24f;

std::vector<TensorPort> ports(const std::vector<Symbol>& symbols, const std::string& prefix) {
  std::vector<TensorPort> out;
  for (const Symbol& s : symbols)
    if (s.name.rfind(prefix, 0) == 0) out.push_back({s.name.substr(prefix.size()), s.dtype, s.shape});
  return out;
}

const Symbol& find(const std::vector<Symbol>& symbols, const std::string& name) {
  return *std::find_if(symbols.begin(), symbols.end(), [&](const Symbol& s) { return s.name == name; });
}

std::span<const std::uint8_t> bytes(std::span<const float> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * 4};
}

}  // namespace

std::uint64_t TensorPort::elements() const { return std::accumulate(shape.begin(), shape.end(), std::uint64_t(1), std::multiplies<>()); }

TensorSession::TensorSession(const Program& program, const std::string& backend) : TensorSession(program, open_for(program, backend)) {}

TensorSession::TensorSession(const Program& program, std::unique_ptr<driver::Device> device)
    : symbols_(program.symbols), device_(std::move(device)), loaded_(*device_, program), inputs_(ports(symbols_, kInput)), outputs_(ports(symbols_, kOutput)),
      set_(inputs_.size(), false) {
  if (outputs_.empty()) throw Error("session", "kind of program", "one without named outputs", "a tensor graph");
  for (const auto* list : {&inputs_, &outputs_})
    for (const TensorPort& p : *list) {
      const Symbol& s = find(symbols_, (list == &inputs_ ? kInput : kOutput) + p.name);
      if (s.bytes != p.elements() * 4) throw Error("session", "tensor " + p.name, std::to_string(s.bytes) + " bytes", std::to_string(p.elements() * 4));
    }
}

const TensorPort& TensorSession::port(const std::vector<TensorPort>& list, const std::string& kind, const std::string& name) const {
  std::string known;
  for (const TensorPort& p : list) {
    if (p.name == name) return p;
    known += (known.empty() ? "" : ", ") + p.name;
  }
  throw Error("session", kind, name, known.empty() ? "none: the graph has none" : "one of " + known);
}

void TensorSession::set(const std::string& name, std::span<const float> values) {
  const TensorPort& p = port(inputs_, "input", name);
  if (values.size() != p.elements())
    throw Error("session", "input " + name, std::to_string(values.size()) + " values", std::to_string(p.elements()));
  const auto bad = [&](float x) { return p.dtype == "bool" ? x != 0 && x != 1 : p.dtype == "i32" && (std::fabs(x) > kMostInteger || std::trunc(x) != x); };
  if (const auto found = std::find_if(values.begin(), values.end(), bad); found != values.end())
    throw Error("session", "input " + name, std::to_string(*found), p.dtype == "bool" ? "0 or 1" : "an integer of magnitude up to 2^24");
  const Symbol& s = find(symbols_, kInput + name);
  loaded_.write(s.window, s.offset, bytes(values));
  set_[static_cast<std::size_t>(&p - inputs_.data())] = true;
}

void TensorSession::set(const std::string& name, std::span<const std::int32_t> values) {
  const auto too_large = [](std::int32_t x) { return x > std::int32_t(kMostInteger) || x < -std::int32_t(kMostInteger); };
  if (const auto found = std::find_if(values.begin(), values.end(), too_large); found != values.end())
    throw Error("session", "input " + name, std::to_string(*found), "an integer of magnitude up to 2^24");
  set(name, std::vector<float>(values.begin(), values.end()));
}

LaunchRecord TensorSession::run() {
  const auto missing = std::find(set_.begin(), set_.end(), false);
  if (missing != set_.end())
    throw Error("session", "input " + inputs_[static_cast<std::size_t>(missing - set_.begin())].name, "nothing", "values, by set()");
  return loaded_.run({});
}

std::vector<float> TensorSession::get(const std::string& name) const {
  const TensorPort& p = port(outputs_, "output", name);
  const Symbol& s = find(symbols_, kOutput + name);
  std::vector<float> values(p.elements());
  loaded_.read(s.window, s.offset, {reinterpret_cast<std::uint8_t*>(values.data()), values.size() * 4});
  return values;
}

std::vector<std::int32_t> TensorSession::get_integers(const std::string& name) const {
  const TensorPort& p = port(outputs_, "output", name);
  if (p.dtype == "f32") throw Error("session", "output " + name, "f32", "i32 or bool");
  std::vector<std::int32_t> out;
  for (const float x : get(name)) out.push_back(static_cast<std::int32_t>(x));
  return out;
}

}  // namespace jogak
