#!/usr/bin/env bash
# build.sh SOURCE BUILD: makes jogak-litex-sim in the build folder; for tests. Exit status 3: LiteX cannot be had here.
set -euo pipefail
status=0
JOGAK_LITEX_VENV=$2/litex-venv bash -c 'source "$1/boards/common/venv.sh"; litex_venv "$JOGAK_LITEX_VENV"' - "$1" || status=$?
if ((status)); then
  echo "skipped: LiteX is not there and cannot be installed" >&2
  exit 3
fi
exec cmake --build "$2" --target jogak-litex-sim
