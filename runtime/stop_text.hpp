// Finds the first of several texts in a stream, and holds back what may be the beginning of one.
#pragma once

#include <string>
#include <vector>

namespace jogak {

class StopText {
 public:
  // Throws jogak::Error for an empty one.
  explicit StopText(std::vector<std::string> texts);
  // Text that certainly is not part of a stop text; nothing more once one was found.
  std::string put(const std::string& text);
  // What was held back at the end.
  std::string finish();
  bool found() const { return found_; }

 private:
  std::vector<std::string> texts_;
  std::string held_;
  bool found_ = false;
};

}  // namespace jogak
