#include "status.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace jogak::cli {

// The last row is kept out of the scrolling region; the text goes on above it.
StatusLine::StatusLine() {
  winsize size{};
  if (!isatty(STDERR_FILENO) || !isatty(STDOUT_FILENO) || ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 4) return;
  rows_ = size.ws_row, cols_ = size.ws_col;
  std::fprintf(stderr, "\n\x1b" "7\x1b[1;%dr\x1b" "8\x1b[1A", rows_ - 1);
  std::fflush(stderr);
}

StatusLine::~StatusLine() {
  if (rows_ == 0) return;
  std::fprintf(stderr, "\x1b" "7\x1b[r\x1b[%d;1H\x1b[2K\x1b" "8", rows_);
  std::fflush(stderr);
}

void StatusLine::show(const std::string& text) {
  if (rows_ == 0) {
    if (calls_++ % every_ == 0) std::fprintf(stderr, "[%s]\n", text.c_str());
    return;
  }
  std::fprintf(stderr, "\x1b" "7\x1b[%d;1H\x1b[2K\x1b[7m%.*s\x1b[0m\x1b" "8", rows_, cols_ - 1, text.c_str());
  std::fflush(stderr);
}

}  // namespace jogak::cli
