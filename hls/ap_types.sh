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
for header in hls_stream.h hls_burst_maxi.h processes.h; do ln -s "$root/hls/csim/$header" "$work/rest/"; done
for config in nano edge kria; do
  "$cxx" -std=c++14 -fsyntax-only -DJOGAK_HLS_CONFIG=$config -I"$work/rest" -I"$types" -I"$root/hls" -I"$root/spec" -I"$gen" "$root/hls/top.cpp"
done
echo "the kernel of nano, edge and kria compiles with AMD's ap_int.h"
