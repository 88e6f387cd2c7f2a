#!/usr/bin/env bash
# soc.sh BOARD OUT [--sim]: the Verilog of boards/BOARD's system on chip, its constraints and its register map in
# OUT. BOARD may also be the path of a board.yaml. LiteX is installed, once, into a virtual environment:
# JOGAK_LITEX_VENV, or litex-venv in the project's build folder. Exit status 3: Python or LiteX cannot be had.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
venv=${JOGAK_LITEX_VENV:-$here/../../build/litex-venv}
# shellcheck source=boards/common/venv.sh
source "$here/venv.sh"
(($# >= 2)) || { echo "soc: arguments, found $#, expected BOARD OUT [--sim]" >&2; exit 2; }
board=$1 out=$2
shift 2
[[ $board == *.yaml ]] || board=$here/../$board/board.yaml
[[ -f $board ]] || { echo "soc: board, found $board, expected a file" >&2; exit 1; }
litex_venv "$venv"
exec env PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$here/soc.py" --board "$board" --out "$out" "$@"
