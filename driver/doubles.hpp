// Doubles of machines that are outside this process, for device_test: a file that has one adds it here.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "device.hpp"

namespace jogak::driver {

using OpenDouble = std::function<Status(const OpenOptions&, std::unique_ptr<Device>&)>;

// By backend name.
inline std::map<std::string, OpenDouble>& doubles() {
  static std::map<std::string, OpenDouble> all;
  return all;
}

// Where this is set, the suite leaves the backends of this process to device_test.
inline bool& only_doubles() {
  static bool only = false;
  return only;
}

struct RegisterDouble {
  RegisterDouble(const std::string& name, OpenDouble open) { doubles().emplace(name, std::move(open)); }
};

}  // namespace jogak::driver
