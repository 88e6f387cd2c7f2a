#include "design.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "error.hpp"

namespace jogak::netlist {
namespace {

using Json = nlohmann::json;

// Reads modules/TOP/{ports,cells} and passes over the rest, most of the file. path_: the keys that lead to here.
class Reader final : public nlohmann::json_sax<Json> {
 public:
  explicit Reader(Design& design) : d_(design) {}

  bool null() override { return other("null"); }
  bool boolean(bool) override { return other("a truth value"); }
  bool number_integer(number_integer_t) override { return other("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return other("a fraction"); }
  bool number_unsigned(number_unsigned_t v) override {
    if (in_pin()) return add_net(d_.cells.back(), static_cast<u32>(v)), true;
    if (in_port()) d_.ports[path_[3]].push_back(static_cast<u32>(v));
    if (in_parameter()) d_.cells.back().parameters[key_] = std::to_string(v);
    return true;
  }
  bool string(string_t& v) override {
    if (in_pin() && v == "x") return true;  // no net
    if (in_pin() || in_port()) return other("the constant " + v);
    while (!v.empty() && v.back() == ' ') v.pop_back();  // a text of only 0 and 1 ends in a space
    if (in_parameter()) d_.cells.back().parameters[key_] = v;
    if (in_cell() && path_.size() == 4 && key_ == "type") d_.cells.back().type = v;
    return true;
  }
  bool binary(binary_t&) override { return other("binary data"); }
  bool key(string_t& k) override {
    key_ = k;
    return true;
  }
  bool start_object(std::size_t) override {
    if (started_) path_.push_back(key_);
    started_ = true;
    if (path_.size() == 2 && path_[0] == "modules" && ++modules_ > 1) return other("a second module");
    if (path_.size() == 4 && in_cell()) d_.cells.push_back({.name = key_, .type = {}, .parameters = {}, .pins = {}});
    return true;
  }
  bool end_object() override {
    if (!path_.empty()) path_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override {
    path_.push_back(key_);
    return true;
  }
  bool end_array() override {
    path_.pop_back();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception& e) override { throw Error("netlist", "file", e.what(), "JSON"); }

 private:
  bool in_cell() const { return path_.size() >= 4 && path_[2] == "cells"; }
  bool in_parameter() const { return in_cell() && path_.size() == 5 && path_[4] == "parameters"; }
  bool in_pin() const { return in_cell() && path_.size() == 6 && path_[4] == "connections"; }
  bool in_port() const { return path_.size() == 5 && path_[2] == "ports" && path_[4] == "bits"; }
  bool other(const std::string& what) const {
    if (in_pin() || in_port() || modules_ > 1) throw Error("netlist", path_.back() + " of " + path_.at(path_.size() > 3 ? 3 : 0), what, "one net, in one module, as nextpnr's --write makes it");
    return true;
  }
  void add_net(Cell& c, u32 net) const {
    if (!c.pins.emplace(path_[5], net).second) other("two nets");
  }

  Design& d_;
  std::vector<std::string> path_;
  std::string key_;
  bool started_ = false;
  int modules_ = 0;
};

}  // namespace

std::string Cell::text(const std::string& key, const std::string& otherwise) const {
  const auto found = parameters.find(key);
  return found == parameters.end() ? otherwise : found->second;
}

u64 Cell::bits(const std::string& key) const {
  u64 v = 0;
  for (const char c : text(key, "0")) {
    if (c != '0' && c != '1' && c != 'x') throw Error("netlist", type + " " + name + ", " + key, text(key, ""), "bits");
    v = v << 1 | (c == '1');
  }
  return v;
}

Design read_design(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw Error("netlist", path.string(), "no such file", "what place and route wrote");
  Design d;
  Reader reader(d);
  Json::sax_parse(file, &reader);
  if (d.cells.empty()) throw Error("netlist", path.string(), "no cells", "what nextpnr's --write makes");
  return d;
}

}  // namespace jogak::netlist
