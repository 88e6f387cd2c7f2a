#!/usr/bin/env bash
# Area and time of every block in the cells of a standard-cell library: yosys maps block by block, jogak-cli adds the
# memories and follows the paths through the whole chiplet. docs/ppa.md says more.
set -euo pipefail
caller=$PWD
root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/..
cd "$root"

usage() {
  cat <<'TEXT'
usage: tools/synth-liberty.sh --liberty FILE [--liberty FILE ...] [--config NAME] [--block NAME ...] [--delay PS] [--json]

  --liberty FILE  a standard-cell library, .lib or .lib.gz; several files of one library are merged
  --config NAME   a configuration of spec/configs (default: nano)
  --block NAME    this block only: control, wspm, aspm, vmem, array, matrix, vector, load, store or top (repeatable)
  --delay PS      what mapping aims at between registers, in picoseconds (default: by the library's speed)
  --driver CELL   the inverter that drives inputs (default: the library's second smallest)
  --package DIR   folder of npu_pkg.sv and npu_func_pkg.sv (default: those of the configuration)
  --build DIR     build folder (default: build, brought up to date)
  --cell N        also a bare multiply-accumulate cell with N weights (tools/ppa/mac_cell.sv; repeatable); needs --json
  --node NM       technology node, for memories (default: by the library's name)
  --path          print the longest path cell by cell
  --json          one JSON object instead of text
  --map-only      leave the mapped blocks in the cache, report nothing

A block that was mapped before, from the same logic, library and script, is taken from BUILD/synth/cache.
TEXT
}

wrong() { echo "synth: $1, found $2, expected $3" >&2; exit 2; }

config=nano node='' path='' delay='' driver='' build='' json='' package='' map_only='' libraries=() blocks=() cells=()
all_blocks=(control wspm aspm vmem array matrix vector load store top)

from_caller() { (cd "$caller" && readlink -m "$1"); }

parse() {
  while (($#)); do
    case $1 in
      --liberty) libraries+=("$(from_caller "${2:?--liberty needs a file}")"); shift ;;
      --config) config=${2:?--config needs a name}; shift ;;
      --block) blocks+=("${2:?--block needs a name}"); shift ;;
      --delay) delay=${2:?--delay needs picoseconds}; shift ;;
      --driver) driver=${2:?--driver needs a cell}; shift ;;
      --package) package=$(from_caller "${2:?--package needs a folder}"); shift ;;
      --build) build=$(from_caller "${2:?--build needs a folder}"); shift ;;
      --cell) cells+=("${2:?--cell needs a number}"); shift ;;
      --node) node=${2:?--node needs nanometres}; shift ;;
      --path) path=--path ;;
      --json) json=--json ;;
      --map-only) map_only=1 ;;
      -h | --help) usage; exit 0 ;;
      *) wrong "unknown option" "$1" "one of those of --help" ;;
    esac
    shift
  done
  ((${#libraries[@]})) || wrong "no library" "no --liberty" "--liberty FILE"
  local file block
  for file in "${libraries[@]}"; do [[ -f $file ]] || wrong "no library" "$file" "a liberty file"; done
  [[ -n $package || -f spec/configs/$config.yaml ]] || wrong "unknown configuration" "$config" "a file of spec/configs"
  for block in "${blocks[@]}"; do
    [[ " ${all_blocks[*]} " == *" $block "* ]] || wrong "unknown block" "$block" "one of ${all_blocks[*]}"
  done
  for file in "${cells[@]}"; do [[ $file =~ ^(1|2|4|8)$ ]] || wrong "bare cell" "$file weights" "1, 2, 4 or 8"; done
  [[ ${#cells[@]} -eq 0 || -n $json ]] || wrong "bare cell" "--cell without --json" "both"
  ((${#blocks[@]})) || blocks=("${all_blocks[@]}")
}

prepare() {
  if [[ -z $build ]]; then
    build=$PWD/build
    source tools/bootstrap.sh
    need_packages build
    [[ -f build/build.ninja ]] || cmake --preset release >/dev/null
    cmake --build build --target specgen spec_sv jogak-ppa >/dev/null
  fi
  ppa=$build/bin/jogak-ppa
  [[ -x $ppa ]] || wrong "no program" "$ppa" "a built jogak-ppa"
  [[ -n $package ]] || package=$build/gen/$config
  work=$build/synth/liberty-$config
  cache=$build/synth/cache
  mkdir -p "$work" "$cache"
  yosys=$(tools/synth-check.sh --build "$build" --find-yosys)
}

# The wasm yosys reads only below its own folder: everything is copied into the work folder.
elaborate() {
  local sources file
  mapfile -t sources < <(grep '^[^/ ]' rtl/files.f)
  cp "$package/npu_pkg.sv" "$package/npu_func_pkg.sv" "$work/"
  for file in "${sources[@]}"; do cp "$file" "$work/"; done
  (cd "$work" && "$yosys" -q -l slang.log -p "read_slang --threads 1 --keep-hierarchy --top npu npu_pkg.sv npu_func_pkg.sv ${sources[*]##*/}
    write_rtlil design.il" >slang.out 2>&1) || { tail -n 20 "$work/slang.out" >&2; wrong "RTL" "errors (above)" "sources that read_slang takes"; }
  python3 tools/ppa/blocks.py cut "$work/design.il" "$work"
  python3 tools/ppa/blocks.py rams "$work/design.il" >"$work/rams.txt"
}

# One library file, and how mapping is told about drivers and loads.
library() {
  "$ppa" merge "$work/cells.lib" "${libraries[@]}"
  "$ppa" constraints "$work/cells.lib" ${node:+--node "$node"} ${driver:+--driver "$driver"} ${delay:+--delay "$delay"} --out "$work"
}

map_block() {
  local block=$1 folder=$work/$1 key
  key=$(cat "$folder/key" "$work/cells.lib" "$work/cells.constr" "$work/block.abc.ys" tools/ppa/map.ys tools/ppa/abc.script | sha256sum | cut -d' ' -f1)
  blif=$cache/$key.blif
  [[ -s $blif ]] && { touch "$blif"; cp "$blif" "$folder/block.blif"; return; }
  echo "synth: $config, mapping $block (log: $folder/log)" >&2
  cp tools/ppa/map.ys tools/ppa/abc.script "$work"/cells.lib "$work"/cells.constr "$work"/block.abc.ys "$folder/"
  (cd "$folder" && nice "$yosys" -q -l log -s map.ys >out 2>&1) || { tail -n 20 "$folder/out" >&2; wrong "block $block" "an error (above)" "logic that yosys maps"; }
  rm -f "$folder/cells.lib"
  cp "$folder/block.blif" "$blif.part$$" && mv "$blif.part$$" "$blif"
}

elaborate_cell() {
  local folder=$work/cell$1
  mkdir -p "$folder"
  cp tools/ppa/mac_cell.sv "$folder/"
  (cd "$folder" && "$yosys" -q -p "read_slang --threads 1 --top mac_cell -G Weights=$1 mac_cell.sv
    write_rtlil block.il" >slang.out 2>&1) || { tail -n 20 "$folder/slang.out" >&2; wrong "mac_cell" "errors (above)" "a cell that read_slang takes"; }
  echo "hierarchy -check -top mac_cell" >"$folder/block.top.ys"
  sha256sum <"$folder/mac_cell.sv" >"$folder/key"
  echo "$1" >>"$folder/key"
}

main() {
  parse "$@"
  prepare
  elaborate
  library
  local block files=()
  for block in "${blocks[@]}"; do
    map_block "$block"
    files+=("$work/$block/block.blif")
  done
  [[ -n $map_only ]] && return
  if ((${#cells[@]} == 0)); then
    "$ppa" time "$work/cells.lib" --rams "$work/rams.txt" ${node:+--node "$node"} $path $json "${files[@]}"
    return
  fi
  local cell
  printf '{"chip":'
  "$ppa" time "$work/cells.lib" --rams "$work/rams.txt" ${node:+--node "$node"} --json "${files[@]}"
  for cell in "${cells[@]}"; do
    elaborate_cell "$cell"
    map_block "cell$cell"
    printf ',"cell%s":' "$cell"
    "$ppa" time "$work/cells.lib" ${node:+--node "$node"} --json "$work/cell$cell/block.blif"
  done
  printf '}\n'
}

main "$@"
