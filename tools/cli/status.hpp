// A status line on stderr under text that streams to stdout: the terminal's last row, or a line now and then.
#pragma once

#include <string>

namespace jogak::cli {

class StatusLine {
 public:
  StatusLine();
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  void show(const std::string& text);
  // Without a terminal: only each n-th call of show prints.
  void every(int n) { every_ = n; }

 private:
  int rows_ = 0, cols_ = 0;  // 0: no terminal
  int every_ = 8, calls_ = 0;
};

}  // namespace jogak::cli
