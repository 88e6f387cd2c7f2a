// Figures of a package: die by die, link by link.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "session.hpp"

namespace jogak::cli {

// Nothing for a session on one die.
std::string package_text(const Session& session, const spec::Config& config);
nlohmann::json package_json(const Session& session, const spec::Config& config);

}  // namespace jogak::cli
