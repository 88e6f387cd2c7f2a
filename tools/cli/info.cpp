// jogak info: what is in a program file, a model file or a configuration.
#include <iostream>

#include "cli.hpp"
#include "import/encoder_hf.hpp"
#include "import/gguf.hpp"
#include "import/gguf_file.hpp"
#include "import/json_file.hpp"
#include "import/safetensors.hpp"
#include "mapped_file.hpp"

namespace jogak::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(std::uint32_t x) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", x);
  return text;
}

Json of_program(const std::string& path) {
  const Program p = read_program(path);
  Json j = {{"kind", "program"}, {"config", p.config}, {"isa_hash", hex(p.isa_hash)}, {"config_hash", hex(p.config_hash)},
            {"instructions", p.code.size()}, {"code_bytes", p.code.size() * sizeof(spec::Insn)}};
  if (p.mesh.dies() > 1) j["mesh"] = {{"dies", p.mesh.dies()}, {"columns", p.mesh.columns}, {"rows", p.mesh.rows}};
  std::uint64_t data = 0;
  for (const Segment& s : p.segments) data += s.size();
  j["data_bytes"] = data;
  for (std::size_t w = 0; w < p.window_bytes.size(); ++w)
    if (p.window_bytes[w] != 0) j["windows"][std::to_string(w)] = p.window_bytes[w];
  for (const Symbol& s : p.symbols)
    j["symbols"][s.name] = "window " + std::to_string(s.window) + " offset " + std::to_string(s.offset) + ", " + s.dtype + " " + Json(s.shape).dump();
  Json abi = Json::parse(p.abi, nullptr, false);
  if (abi.is_object()) {
    abi.erase("tokenizer");
    j["abi"] = abi;
  }
  for (const MapEntry& e : p.map) j["operators"].push_back(describe(e) + " " + std::to_string(e.first) + ".." + std::to_string(e.last));
  return j;
}

const char* name(ir::DType t) {
  constexpr const char* kNames[] = {"f32",  "f16",  "bf16", "q8_0", "q4_0",   "q4_1",   "q5_0",  "q5_1", "q2_k",
                                    "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs", "mxfp4", "i8",   "i32"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(ir::DType::i32) + 1);
  return kNames[static_cast<std::size_t>(t)];
}

// Adds their number of parameters and the list of them.
void add_tensors(Json& j, const std::vector<ir::Tensor>& list) {
  std::uint64_t parameters = 0;
  Json tensors = Json::array();
  for (const ir::Tensor& t : list) {
    std::uint64_t n = 1;
    for (const auto d : t.shape) n *= static_cast<std::uint64_t>(d);
    parameters += n;
    tensors.push_back(t.name + " " + name(t.dtype) + " " + Json(t.shape).dump());
  }
  j["parameters"] = parameters;
  j["tensors"] = tensors;
}

Json of_model(const std::string& path) {
  const ir::Graph g = import::read_model(path);
  Json j = {{"kind", "model"}, {"name", g.model_name}, {"architecture", g.architecture}, {"layers", g.layers}, {"width", g.width},
            {"vocabulary", g.vocab}, {"context", g.context}};
  add_tensors(j, g.tensors);
  return j;
}

Json of_encoder(const std::string& path) {
  Json j = {{"kind", "model"}, {"name", std::filesystem::weakly_canonical(path).filename().string()}};
  if (std::filesystem::is_directory(path)) {
    j["configuration"] = import::read_json_file(std::filesystem::path(path) / "config.json");
    add_tensors(j, import::read_safetensors(path));
    return j;
  }
  const auto file = std::make_shared<const MappedFile>("model", path, "a model file");
  import::GgufFile gguf(file->bytes(), std::filesystem::path(path).filename().string(), file);
  j["architecture"] = gguf.architecture();
  add_tensors(j, gguf.tensors());
  return j;
}

Json of_config(const spec::Config& c) {
  return {{"kind", "configuration"}, {"name", c.name}, {"hash", hex(c.hash)}, {"rows", c.rows}, {"cols", c.cols}, {"lanes", c.lanes},
          {"port_bytes", c.port_bytes}, {"wspm_bytes", c.wspm_bytes}, {"wsc_bytes", c.wsc_bytes}, {"aspm_bytes", c.aspm_bytes},
          {"asc_bytes", c.asc_bytes}, {"vmem_bytes", c.vmem_bytes}, {"imem_words", c.imem_words}, {"chiplets", c.chiplets}, {"sparse", c.sparse != 0},
          {"macs_per_cycle", c.rows * c.cols}};
}

void print(const Json& j, const std::string& indent = "") {
  for (const auto& [key, value] : j.items()) {
    if (value.is_object()) {
      std::cout << indent << key << ":\n";
      print(value, indent + "  ");
    } else if (value.is_array() && !value.empty() && value[0].is_string() && value[0].get<std::string>().find(' ') != std::string::npos) {
      std::cout << indent << key << ":\n";
      for (const auto& entry : value) std::cout << indent << "  " << entry.get<std::string>() << "\n";
    } else {
      std::cout << indent << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
    }
  }
}

}  // namespace

void add_info(CLI::App& app, int&) {
  auto* command = app.add_subcommand("info", "Say what is in a program file, a model file or a configuration");
  const auto what = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("what", *what, "A .jgk or model file, or one of: " + config_names())->required();
  command->add_flag("--json", *json, "One JSON object instead of text");
  command->callback([what, json] {
    const std::filesystem::path path = *what;
    const spec::Config* config = spec::find_config(what->c_str());
    if (config == nullptr && !std::filesystem::exists(path))
      throw Error("info", "file or configuration", *what, "an existing file, or one of " + config_names());
    const Json j = config != nullptr ? of_config(*config) : path.extension() == ".jgk" ? of_program(*what) : import::is_encoder(path) ? of_encoder(*what) : of_model(*what);
    if (*json) std::cout << j.dump() << "\n";
    else print(j);
  });
}

}  // namespace jogak::cli
