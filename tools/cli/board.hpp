// A package's file on the command line.
#pragma once

#include <string>

#include "cli.hpp"

namespace jogak::cli {

struct Given {
  bool config, dies;
};
// The file says what --config and --dies do not, and where dies and links are. Throws jogak::Error for a file that is not right.
void take_package(CompileOptions& options, const std::string& file, Given given);

}  // namespace jogak::cli
