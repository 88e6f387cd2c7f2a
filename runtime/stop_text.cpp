#include "stop_text.hpp"

#include <algorithm>
#include <utility>

#include "error.hpp"

namespace jogak {

StopText::StopText(std::vector<std::string> texts) : texts_(std::move(texts)) {
  for (const std::string& t : texts_)
    if (t.empty()) throw Error("session", "stop text", "an empty one", "at least one character");
}

std::string StopText::put(const std::string& text) {
  if (found_) return "";
  if (texts_.empty()) return text;
  held_ += text;
  std::size_t at = std::string::npos;
  for (const std::string& t : texts_) at = std::min(at, held_.find(t));
  found_ = at != std::string::npos;
  // Not found: the longest end of the text that is the beginning of a stop text stays here.
  if (!found_) {
    at = held_.size();
    for (const std::string& t : texts_)
      for (std::size_t n = std::min(t.size() - 1, held_.size()); n > 0; --n)
        if (held_.ends_with(t.substr(0, n))) at = std::min(at, held_.size() - n);
  }
  const std::string out = held_.substr(0, at);
  held_.erase(0, found_ ? held_.size() : at);
  return out;
}

std::string StopText::finish() { return std::exchange(held_, ""); }

}  // namespace jogak
