#!/usr/bin/env bash
# The kernel against AMD's own public ap_int.h, which the Python package hls4ml carries: hls/ap_types.sh GEN [CXX]
# GEN: a build's gen folder. Exit status 77: the package cannot be had.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")
gen=$(readlink -f "$1") cxx=${2:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --no-deps --dest "$work" hls4ml==1.3.0 >/dev/null 2>&1 || { echo "skipped: hls4ml cannot be downloaded"; exit 77; }
python3 -m zipfile -e "$work"/hls4ml-*.whl "$work"
types=$work/hls4ml/templates/vivado/ap_types
mkdir "$work/rest"
for header in ap_axi_sdata.h hls_stream.h hls_burst_maxi.h processes.h; do ln -s "$root/hls/csim/$header" "$work/rest/"; done
compile() {
  "$cxx" -std=c++14 -fsyntax-only "$@" -I"$work/rest" -I"$types" -I"$root/hls" -I"$root/spec" -I"$gen"
}
for config in nano edge kria; do compile -DJOGAK_HLS_CONFIG=$config "$root/hls/top.cpp"; done
compile -DJOGAK_HLS_CONFIG=quad -DJOGAK_HLS_LINKS "$root/hls/top.cpp" "$root/hls/router_top.cpp"
echo "the kernel of nano, edge and kria, that of quad with links and its router compile with AMD's ap_int.h"
