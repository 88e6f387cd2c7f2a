#!/bin/sh
# The bits of spec/numerics.hpp across compilers, flags and processors.
# Every line must show the recorded hash; a missing tool is skipped aloud.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
skipped=0

# try <runner or ''> <compiler> <flags>...
try() {
  runner=$1
  compiler=$2
  shift 2
  for tool in "$compiler" $runner; do
    if ! command -v "$tool" >/dev/null 2>&1; then
      echo "SKIPPED $compiler $*: $tool not found"
      skipped=$((skipped + 1))
      return
    fi
  done
  if ! "$compiler" -std=c++14 -Wall -Wextra -Werror "$@" "$here/numerics_portability.cpp" -o "$work/hash"; then
    echo "FAILED  $compiler $*: does not compile"
    failed=1
    return
  fi
  if hash=$($runner "$work/hash"); then
    echo "$hash  $compiler $*"
  else
    echo "FAILED  $compiler $*: found ${hash:-nothing}, expected the hash in numerics_hash.hpp"
    failed=1
  fi
}

for compiler in g++ clang++-19; do
  try "" "$compiler" -O0
  try "" "$compiler" -O3 -march=native
  try "" "$compiler" -O3 -march=native -ffast-math
done
try qemu-aarch64 aarch64-linux-gnu-g++ -O0 -static
try qemu-aarch64 aarch64-linux-gnu-g++ -O3 -static
[ "$skipped" -eq 0 ] || echo "numerics_portability: $skipped builds skipped"
exit "$failed"
