// A machine on a card that XRT drives. The part that knows XRT is a module, found in JOGAK_XRT_MODULE, beside this program, or in
// ../lib of its folder; the rest is the backend of driver/uio.
#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "../backends.hpp"
#include "../guard.hpp"
#include "../uio/uio.hpp"
#include "error.hpp"
#include "module.hpp"

namespace jogak::driver {
namespace xrt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "libjogak_xrt.so";
constexpr const char* kLibrary = "libxrt_coreutil.so.2";

std::string module_path() {
  if (const char* named = std::getenv("JOGAK_XRT_MODULE"); named != nullptr && *named != 0) return named;
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& path : {here / kFile, here.parent_path() / "lib" / kFile})
    if (fs::exists(path)) return path;
  throw Error("xrt device", std::string("module ") + kFile, "none beside this program",
              "a build with XRT's headers (package libxrt-dev or XRT_ROOT), or JOGAK_XRT_MODULE");
}

// XRT's library where a variable or AMD's packages put it, else the module finds the distribution's: the first one loaded counts.
void load_library() {
  std::vector<fs::path> roots;
  for (const char* name : {"XRT_ROOT", "XILINX_XRT"})
    if (const char* root = std::getenv(name); root != nullptr && *root != 0) roots.emplace_back(root);
  roots.emplace_back("/opt/xilinx/xrt");
  for (const fs::path& root : roots)
    for (const char* folder : {"lib", "lib64"}) {
      const fs::path path = root / folder / kLibrary;
      if (!fs::exists(path)) continue;
      if (::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) == nullptr) throw Error("xrt device", "XRT's library", ::dlerror(), "one that loads");
      return;
    }
}

// Stays loaded: XRT's threads outlive its devices.
const Module& module() {
  const std::string path = module_path();
  load_library();
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) throw Error("xrt device", "module", ::dlerror(), "one that loads, with XRT 2.13 or newer installed");
  const auto entry = reinterpret_cast<const Module* (*)()>(::dlsym(library, kSymbol));
  if (entry == nullptr || entry()->contract != kContract) throw Error("xrt device", "module " + path, "one of another build", "the one built with this program");
  return *entry();
}

// "xrt:FILE.xclbin" or "xrt:FILE.xclbin:CARD". A bus address has colons of its own.
Request parse(const std::string& backend) {
  const std::string target = backend.substr(backend.find(':') + 1), end = ".xclbin:";
  const std::size_t at = target.find(end);
  Request r;
  r.file = target.substr(0, at == std::string::npos ? at : at + end.size() - 1);
  if (at != std::string::npos && at + end.size() < target.size()) r.card = target.substr(at + end.size());
  return r;
}

uio::Ports ports_of(const Request& request) {
  uio::Ports ports;
  std::string error;
  if (!module().open(request, ports, error)) throw Error(error);
  return ports;
}

}  // namespace
}  // namespace xrt

Status open_xrt(const OpenOptions& options, std::unique_ptr<Device>& device) {
  return guarded([&] {
    if (spec::find_config(options.config.c_str()) == nullptr)
      return Status(Code::bad_argument, "xrt device: configuration, found " + options.config + ", expected one of spec/configs");
    xrt::Request request = xrt::parse(options.backend);
    request.memory_bytes = options.memory_bytes;
    return uio::open_on(xrt::ports_of(request), options, device);
  });
}

Status xrt_config(const std::string& backend, std::string& config) {
  xrt::Request request = xrt::parse(backend);
  request.memory_bytes = 4096;
  const uio::Ports ports = xrt::ports_of(request);
  const std::uint32_t hash = ports.registers->read(spec::csr::config_hash);
  for (const spec::Config& c : spec::configs)
    if (c.hash == hash) config = c.name;
  if (config.empty()) return {Code::device, "xrt device: configuration of " + ports.place + ", found none that this build knows, expected one of spec/configs"};
  return {};
}

}  // namespace jogak::driver
