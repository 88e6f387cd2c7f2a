#!/usr/bin/env bash
# Every module of the RTL as a top of its own, in one configuration: Verilator elaborates it without a warning.
# usage: tests/synth/elaborate.sh VERILATOR GEN CONFIG    GEN: folder of the generated packages (build/gen)
set -euo pipefail
verilator=$1 gen=$2 config=$3
cd "$(dirname "$0")/../.."
mapfile -t files < <(grep -E '^[^/ ]' rtl/files.f)
modules=0
for file in "${files[@]}"; do
  for module in $(sed -n 's/^module \([a-z0-9_]*\).*/\1/p' "$file"); do
    [ "$module" = "$(basename "$file" .sv)" ] || { echo "elaborate: $file holds module $module, expected $(basename "$file" .sv)"; exit 1; }
    "$verilator" --lint-only -Wall --top-module "$module" "$gen/$config/npu_pkg.sv" "$gen/$config/npu_func_pkg.sv" "${files[@]}" ||
      { echo "elaborate: $module ($config) does not elaborate alone without a warning"; exit 1; }
    modules=$((modules + 1))
  done
done
[ "$modules" -gt 40 ] || { echo "elaborate: found $modules modules in rtl/files.f, expected more than 40"; exit 1; }
echo "elaborate: $modules modules, $config"
