#include "xclbin.hpp"

#include <array>
#include <cstdio>

#include "driver/uio/hls_registers.hpp"
#include "error.hpp"

namespace jogak::xrt_card {
namespace {

namespace csr = spec::csr;

// As boards/common/amd_kernel.py and amd_hls.py name them.
struct Kernel {
  explicit Kernel(const CardOptions& o) : name(o.on == "hls" ? "npu_hls" : "npu_kernel"), arguments(o.on == "hls" ? hls_arguments() : kernel_arguments()) {}
  std::string name;
  std::vector<Argument> arguments;
};
constexpr const char* kInstance = "npu_1";

class Blob {
 public:
  void number(u64 value, int bytes) {
    for (int i = 0; i < bytes; ++i) out_.push_back(static_cast<u8>(value >> (8 * i)));
  }
  void fill(std::size_t n, u8 value = 0) { out_.insert(out_.end(), n, value); }
  void append(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // Cut or filled with zeros; the last byte is always 0.
  void name(const std::string& text, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out_.push_back(i < text.size() && i + 1 < n ? static_cast<u8>(text[i]) : 0);
  }
  std::size_t size() const { return out_.size(); }
  std::vector<u8> take() { return std::move(out_); }

 private:
  std::vector<u8> out_;
};

std::vector<u8> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

std::string hex(u64 value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llX", static_cast<unsigned long long>(value));
  return text;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string script(const CardOptions& o, const std::filesystem::path& program) {
  return "#!/bin/sh\nexec " + quoted(program) + " --config " + quoted(o.config) + " --on " + quoted(o.on) + " --memory " +
         std::to_string(o.memory_bytes >> 20) + "\n";
}

std::string argument_xml(const Argument& a, std::size_t id) {
  const bool pointer = a.bytes == 8;
  return "<arg name=\"" + a.name + "\" addressQualifier=\"" + (pointer ? "1" : "0") + "\" id=\"" + std::to_string(id) + "\" port=\"" +
         (pointer ? "M_AXI_GMEM" : "S_AXI_CONTROL") + "\" size=\"" + hex(a.bytes) + "\" offset=\"" + hex(a.offset) + "\" hostOffset=\"0x0\" hostSize=\"" +
         hex(a.bytes) + "\" type=\"" + (pointer ? "void*" : "uint") + "\" memSize=\"\"/>";
}

std::string metadata(const spec::Config& config, const Kernel& kernel) {
  std::string args;
  for (std::size_t i = 0; i < kernel.arguments.size(); ++i) args += argument_xml(kernel.arguments[i], i);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><project name=\"jogak_" + std::string(config.name) + "\"><platform vendor=\"jogak\" boardid=\"" +
         kPlatform + "\" name=\"" + kPlatform + "\" featureRomTime=\"0\"><version major=\"1\" minor=\"0\"/>"
         "<device name=\"fpga0\" fpgaDevice=\"virtexuplus:simulated:none:none\" addrWidth=\"0\">"
         "<core name=\"OCL_REGION_0\" target=\"hw_em\" type=\"clc_region\" clockFreq=\"0MHz\" numComputeUnits=\"1\">"
         "<kernel name=\"" + kernel.name + "\" language=\"ip_c\" vlnv=\"jogak:kernel:" + kernel.name +
         ":1.0\" attributes=\"\" hash=\"\" preferredWorkGroupSizeMultiple=\"0\" workGroupSize=\"1\" interrupt=\"true\" hwControlProtocol=\"ap_ctrl_chain\">"
         "<port name=\"M_AXI_GMEM\" mode=\"master\" range=\"0xFFFFFFFFFFFFFFFF\" dataWidth=\"64\" portType=\"addressable\" base=\"0x0\"/>"
         "<port name=\"S_AXI_CONTROL\" mode=\"slave\" range=\"" + hex(kRegisterBytes) + "\" dataWidth=\"32\" portType=\"addressable\" base=\"0x0\"/>" +
         args + "<instance name=\"" + kInstance + "\"><addrRemap base=\"" + hex(kRegisterBase) + "\" range=\"" + hex(kRegisterBytes) +
         "\" port=\"S_AXI_CONTROL\"/></instance></kernel></core></device></platform></project>\n";
}

std::vector<u8> memory_topology(u64 bytes) {
  Blob b;
  b.number(1, 8);  // one bank; the count is followed by padding
  b.number(1, 1);  // DDR4
  b.number(1, 1);  // used
  b.fill(6);
  b.number(bytes >> 10, 8);
  b.number(kMemoryBase, 8);
  b.name("bank0", 16);
  return b.take();
}

std::vector<u8> ip_layout(const Kernel& kernel) {
  Blob b;
  b.number(1, 8);
  b.number(1, 4);       // a kernel
  b.number(1 << 8, 4);  // ap_ctrl_chain, no interrupt: hardware emulation passes none on
  b.number(kRegisterBase, 8);
  b.name(kernel.name + ":" + kInstance, 64);
  return b.take();
}

std::vector<u8> connectivity(const Kernel& kernel) {
  std::vector<u32> pointers;
  for (u32 i = 0; i < kernel.arguments.size(); ++i)
    if (kernel.arguments[i].bytes == 8) pointers.push_back(i);
  Blob b;
  b.number(pointers.size(), 4);
  for (u32 i : pointers) {
    b.number(i, 4);
    b.number(0, 4);
    b.number(0, 4);
  }
  return b.take();
}

// Equal for equal cards, so that XRT can tell files apart.
std::array<u8, 16> uuid(const std::string& text) {
  std::array<u8, 16> id{};
  u64 hash = 0xcbf29ce484222325;
  for (std::size_t i = 0; i < 16; ++i) {
    for (char c : text) hash = (hash ^ static_cast<u8>(c)) * 0x100000001b3;
    id[i] = static_cast<u8>(hash >> 56);
  }
  return id;
}

struct Section {
  u32 kind;
  const char* name;
  std::vector<u8> body;
};

std::vector<u8> container(const std::vector<Section>& sections, const std::array<u8, 16>& id) {
  constexpr u64 kHead = 8 + 4 + 28 + 256 + 8 + 152, kSectionHead = 40, kTime = 1;
  std::vector<u64> offsets;
  u64 end = kHead + kSectionHead * sections.size();
  for (const Section& s : sections) {
    end = (end + 7) / 8 * 8;
    offsets.push_back(end);
    end += s.body.size();
  }
  Blob b;
  b.name("xclbin2", 8);
  b.number(0xffffffff, 4);  // no signature
  b.fill(28 + 256, 0xff);
  b.number(kTime, 8);
  b.number(end, 8);
  b.number(kTime, 8);
  b.number(0, 8);
  b.number(0, 2), b.number(2, 1), b.number(1, 1);  // version 2.1.0
  b.number(4, 2);                                  // hardware emulation
  b.number(0, 2);
  b.fill(16);
  b.name(kPlatform, 64);
  b.append(id);
  b.fill(16);
  b.number(sections.size(), 8);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    b.number(sections[i].kind, 4);
    b.name(sections[i].name, 16);
    b.fill(4);
    b.number(offsets[i], 8);
    b.number(sections[i].body.size(), 8);
  }
  for (std::size_t i = 0; i < sections.size(); ++i) {
    b.fill(offsets[i] - b.size());
    b.append(sections[i].body);
  }
  return b.take();
}

}  // namespace

std::vector<Argument> kernel_arguments() {
  std::vector<Argument> all = {{"launch_flags", csr::launch_flags, 4}, {"code", csr::code_lo, 8},           {"code_len", csr::code_len, 4},
                               {"watchdog", csr::watchdog, 4},         {"bus_timeout", csr::bus_timeout, 4}, {"place", csr::place, 4}};
  for (u32 i = 0; i < spec::limit::args; ++i) all.push_back({"arg" + std::to_string(i), csr::arg_at(i), 4});
  for (u32 i = 0; i < spec::limit::windows; ++i) {
    const std::string n = std::to_string(i);
    all.push_back({"win_base" + n, csr::win_base_lo_at(i), 8});
    all.push_back({"win_size" + n, csr::win_size_at(i), 4});
    all.push_back({"win_flags" + n, csr::win_flags_at(i), 4});
  }
  return all;
}

std::vector<Argument> hls_arguments() { return {{"regs", driver::uio::kHlsRegs, 8}, {"abort", driver::uio::kHlsAbort, 4}}; }

std::vector<u8> xclbin(const CardOptions& options, const std::filesystem::path& program) {
  const spec::Config* config = spec::find_config(options.config.c_str());
  if (config == nullptr) throw Error("xclbin", "configuration", options.config, "one of spec/configs");
  const std::string start = script(options, program);
  const Kernel kernel(options);
  const std::vector<u8> memory = memory_topology(options.memory_bytes), wires = connectivity(kernel);
  return container({{0, "bitstream", zip("behav_waveform/xsim/simulate.sh", start)},
                    {2, "embedded_metad", bytes_of(metadata(*config, kernel))},
                    {6, "mem_topology", memory},
                    {7, "connectivity", wires},
                    {8, "ip_layout", ip_layout(kernel)},
                    {26, "group_topology", memory},
                    {27, "group_connect", wires}},
                   uuid(start + std::to_string(config->hash)));
}

std::vector<u8> zip(const std::string& name, const std::string& text) {
  u32 crc = 0xffffffff;
  for (char c : text) {
    crc ^= static_cast<u8>(c);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  // Local and central header share this: version, flags, method (stored), time, date (1 January 1980), checksum, sizes, name, extra.
  const auto shared = [&](Blob& b) {
    b.number(20, 2), b.number(0, 2), b.number(0, 2), b.number(0, 2), b.number(0x21, 2);
    b.number(~crc, 4), b.number(text.size(), 4), b.number(text.size(), 4);
    b.number(name.size(), 2), b.number(0, 2);
  };
  Blob b;
  b.number(0x04034b50, 4);
  shared(b);
  b.append(bytes_of(name));
  b.append(bytes_of(text));
  const std::size_t central = b.size();
  b.number(0x02014b50, 4);
  b.number(3 << 8 | 20, 2);  // made on Unix
  shared(b);
  b.fill(2 + 2 + 2);                    // comment, disk, internal attributes
  b.number(u64(0100755) << 16, 4);      // file mode
  b.number(0, 4);
  b.append(bytes_of(name));
  const std::size_t end = b.size();
  b.number(0x06054b50, 4);
  b.fill(4);
  b.number(1, 2), b.number(1, 2);
  b.number(end - central, 4), b.number(central, 4);
  b.fill(2);
  return b.take();
}

}  // namespace jogak::xrt_card
