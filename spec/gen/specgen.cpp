// specgen: reads the contract, refuses mistakes, prints it for every language.
#include <cstring>
#include <fstream>
#include <iostream>

#include "error.hpp"
#include "spec.hpp"

namespace {

using namespace jogak::specgen;
namespace fs = std::filesystem;

constexpr const char* usage =
    "usage: specgen cxx NPU.yaml CONFIGS_DIR OUT   npu_spec.hpp npu_regs.h isa.md csr.md\n"
    "       specgen sv  NPU.yaml CONFIG.yaml OUT   npu_pkg.sv npu_func_pkg.sv\n";

void write(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush()) throw jogak::Error("specgen", "cannot write", file.string(), "a writable folder");
}

void run(const std::string& mode, const fs::path& npu, const fs::path& config, const fs::path& folder) {
  Spec spec = read_spec(npu);
  check(spec);
  fs::create_directories(folder);
  if (mode == "sv") {
    Config one = read_config(config);
    check(spec, one);
    write(folder / "npu_pkg.sv", emit_sv_package(spec, one));
    write(folder / "npu_func_pkg.sv", emit_sv_functions(spec));
    return;
  }
  std::vector<Config> all = read_configs(config);
  for (auto& one : all) check(spec, one);
  write(folder / "npu_spec.hpp", emit_cxx_header(spec, all));
  write(folder / "npu_regs.h", emit_c_registers(spec));
  write(folder / "isa.md", emit_isa_tables(spec));
  write(folder / "csr.md", emit_csr_tables(spec));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && !std::strcmp(argv[1], "--help")) return std::cout << usage, 0;
  if (argc != 5 || (std::strcmp(argv[1], "cxx") && std::strcmp(argv[1], "sv"))) return std::cerr << usage, 2;
  try {
    run(argv[1], argv[2], argv[3], argv[4]);
  } catch (const std::exception& bad) {
    return std::cerr << "specgen: " << bad.what() << "\n", 1;
  }
  return 0;
}
