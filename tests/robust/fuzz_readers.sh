#!/usr/bin/env bash
# Builds the libFuzzer targets of the file readers and runs each for SECONDS with JOBS processes.
# usage: tests/robust/fuzz_readers.sh [BUILD=build] [SECONDS=60] [JOBS=2]
# BUILD is a configured build folder (for the generated headers). With SECONDS=0 it only builds, into BUILD/fuzz_readers.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build} seconds=${2:-60} jobs=${3:-2}
cxx=$(command -v clang++-19 || command -v clang++-18 || command -v clang++) || { echo "fuzz_readers: no clang++, skipped"; exit 0; }
out=$build/fuzz_readers
mkdir -p "$out"
flags=(-std=c++20 -O1 -g -fsanitize=fuzzer,address -static-libstdc++ -I"$build/gen" -I"$root/spec" -I"$root/compiler" -I"$root/runtime")
"$cxx" "${flags[@]}" "$root"/tests/robust/gguf_fuzzer.cpp "$root"/compiler/import/{gguf,llama,rotary}.cpp "$root"/compiler/passes/{blocks,quantize}.cpp -o "$out/gguf"
"$cxx" "${flags[@]}" "$root"/tests/robust/program_fuzzer.cpp "$root"/runtime/program{,_check}.cpp -o "$out/program"
[ "$seconds" -gt 0 ] || exit 0
for target in gguf program; do
  mkdir -p "$out/corpus_$target"
  cp "$root"/tests/robust/seeds/* "$out/corpus_$target/"
  "$out/$target" -rss_limit_mb=2048 -malloc_limit_mb=512 -max_len=65536 -max_total_time="$seconds" -fork="$jobs" \
    -artifact_prefix="$out/" "$out/corpus_$target"
done
