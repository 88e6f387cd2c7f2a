// A compiled model's bounds beside what the RTL really takes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compile.hpp"
#include "session.hpp"

namespace jogak::cli {

struct Measurement {
  struct Row {
    std::uint32_t first = 0, last = 0;  // layers, as in Bound; the figures are of one of them
    std::string op;
    bool bounded = false;               // port and array mean something
    std::uint64_t port = 0, array = 0;  // cycles needed at least
    double cycles = 0;                  // mean over the layers
    Timeline::Cell cell = {};           // of all of them
  };
  int rows = 0;
  std::uint64_t cycles = 0;  // of the launch
  std::vector<Row> list = {};

  Row all() const;  // the whole launch
  std::string text() const;
  nlohmann::json json() const;
};

// One launch of `rows` tokens at position 0 on the RTL. Throws jogak::Error for more rows than the program takes, or
// where there is no RTL.
Measurement measure(const Compiled& compiled, int rows);

}  // namespace jogak::cli
