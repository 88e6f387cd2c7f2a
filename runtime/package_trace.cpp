#include "package_trace.hpp"

#include "driver/package.hpp"

namespace jogak {

std::shared_ptr<trace::PackageTrace> record_package(const Program& program, const std::vector<std::unique_ptr<driver::Device>>& dies, std::uint64_t keep) {
  auto* first = dies.empty() ? nullptr : dynamic_cast<driver::Die*>(dies.front().get());
  if (first == nullptr) throw Error("package", "trace", "a device that is not of a package", "the dies of one");
  std::shared_ptr<trace::PackageTrace> trace;
  if (const driver::Status s = first->record(keep, trace); !s.ok()) throw Error(s.message());
  for (const auto& device : dies) {
    const std::uint32_t place = dynamic_cast<const driver::Die&>(*device).place();
    for (const MapEntry& e : program.map)
      for (std::uint32_t pc = e.first; pc <= e.last; ++pc) trace->name(place, pc, e.op);
  }
  return trace;
}

}  // namespace jogak
