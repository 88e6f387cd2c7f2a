#include "page.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "error.hpp"

namespace jogak::onnx {

namespace {

std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c))) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

struct Count {
  int tests = 0, pass = 0, refused = 0, fail = 0;
  double worst = 0;
  void add(const Row& row) {
    ++tests;
    (row.result.outcome == Outcome::pass ? pass : row.result.outcome == Outcome::refused ? refused : fail) += 1;
    if (row.result.outcome == Outcome::pass) worst = std::max(worst, row.result.error);
  }
};

}  // namespace

std::vector<std::string> subjects(const Case& test) {
  std::set<std::string> used;
  try {
    for (const Node& node : parse_model(test.model, {}).graph.nodes) used.insert(node.op);
  } catch (const Error&) {
    return {"(not read)"};
  }
  std::vector<std::string> list(used.begin(), used.end());
  const std::string name = plain(test.name.substr(5));
  const auto score = [&](const std::string& op) { return name.find(plain(op)) == 0 ? plain(op).size() : 0; };
  std::stable_sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return score(a) > score(b); });
  return list;
}

void write_page(const std::filesystem::path& page, const std::vector<Row>& rows, const std::string& config) {
  std::map<std::string, Count> single, within;
  Count all;
  for (const Row& row : rows) {
    all.add(row);
    if (row.operators.size() == 1) single[row.operators[0]].add(row);
    else
      for (const std::string& op : row.operators) within[op].add(row);
  }
  std::ostringstream out;
  out << "On `" << config << "`: " << all.pass << " of " << all.tests << " tests pass, " << all.refused << " are refused, " << all.fail
      << " fail.\n\n| operator | tests of it alone | pass | refused | fail | largest error ÷ tolerance | in other tests: pass of all |\n|--|--|--|--|--|--|--|\n";
  std::set<std::string> names;
  for (const auto& [op, n] : single) names.insert(op);
  for (const auto& [op, n] : within) names.insert(op);
  for (const std::string& op : names) {
    const Count a = single[op], b = within[op];
    char worst[20];
    std::snprintf(worst, sizeof worst, "%.2g", a.worst);
    out << "| " << op << " | " << a.tests << " | " << a.pass << " | " << a.refused << " | " << a.fail << " | " << (a.pass ? worst : "") << " | "
        << b.pass << " of " << b.tests << " |\n";
  }
  out << "\n| not passed | outcome | why |\n|--|--|--|\n";
  for (const Row& row : rows) {
    if (row.result.outcome == Outcome::pass) continue;
    const char* outcome = row.result.outcome == Outcome::refused ? "refused" : "fail";
    out << "| " << row.name << " | " << outcome << " | " << (row.known.empty() ? row.result.why : row.known) << " |\n";
  }
  std::ifstream in(page);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::string open = "<!-- nodes -->", close = "<!-- /nodes -->";
  const auto from = text.find(open), to = text.find(close);
  if (from == std::string::npos || to == std::string::npos) throw Error("onnx tests", "page " + page.string(), "no markers", open);
  text.replace(from + open.size(), to - from - open.size(), "\n" + out.str());
  std::ofstream(page) << text;
}

}  // namespace jogak::onnx
