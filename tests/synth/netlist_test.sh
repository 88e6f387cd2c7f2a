#!/usr/bin/env bash
# Usage: netlist_test.sh BUILD. Builds the simulated netlist of nano and runs random programs, legal ones and such with
# faults, on it: memories, counters and fault records must be the model's. Exit status 3: yosys cannot be had.
set -euo pipefail
build=${1:?expected the build folder}
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
"$here/../../tools/synth-check.sh" --build "$build" --find-yosys >/dev/null
cmake --build "$build" --parallel 2 --target jogak-fuzz-netlist
exec "$build/bin/jogak-fuzz-netlist" --config nano --seed 0 --count 1600 --coverage --no-shrink --quiet
