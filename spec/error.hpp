// The one exception of the kit: bad input, told as "part: what, found, expected".
#pragma once

#include <stdexcept>
#include <string>

namespace jogak {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  Error(const std::string& part, const std::string& what, const std::string& found,
        const std::string& expected)
      : std::runtime_error(part + ": " + what + ", found " + found + ", expected " + expected) {}
};

}  // namespace jogak
