// Where the project lies, for tools that use its models or name its commit.
#pragma once

#include <filesystem>
#include <string>

namespace jogak::tools {

// $JOGAK_ROOT; else share/jogak beside an installed program; else the folder this was built from.
std::filesystem::path project_root();
// Short hash, with "+" when the tree has changes; "unknown" outside a repository.
std::string commit();

}  // namespace jogak::tools
