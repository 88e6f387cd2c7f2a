// A package's file on the command line.
#pragma once

#include <string>

#include "cli.hpp"

namespace jogak::cli {

// The file says what --config and --dies do not, and where dies and links are. Throws jogak::Error for a file that is not right.
void take_package(CompileOptions& options, const std::string& file, Given given);
// Throws jogak::Error where a file is named for a program of one die.
void need_several_dies(const char* part, const std::string& file, std::size_t dies);

}  // namespace jogak::cli
