// The table of docs/onnx.md.
#pragma once
#include <filesystem>

#include "cases.hpp"

namespace jogak::onnx {

struct Row {
  std::string name;
  std::vector<std::string> operators;
  Result result;
  std::string known;  // why it is refused, where that is settled
};

// The operators of the test's graph, the one that its name speaks of first.
std::vector<std::string> subjects(const Case& test);

// Replaces what lies between the page's markers "<!-- nodes -->" and "<!-- /nodes -->".
void write_page(const std::filesystem::path& page, const std::vector<Row>& rows, const std::string& config);

}  // namespace jogak::onnx
