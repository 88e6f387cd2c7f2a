# Sourced: litex_venv FOLDER makes sure that FOLDER is a virtual environment with what requirements.txt asks for.
litex_venv() {
  local venv=$1 wanted log
  wanted=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/requirements.txt
  cmp -s "$wanted" "$venv/installed.txt" && return 0
  if ! command -v python3 >/dev/null; then
    echo "litex: no python3 (packages python3, python3-venv)" >&2
    exit 3
  fi
  log=$(mktemp)
  if ! { python3 -m venv "$venv" && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 2 --timeout 20 -r "$wanted"; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "litex: not installed, found an error of python3 -m venv or pip (above), expected the packages of $wanted" >&2
    rm -f "$log"
    exit 3
  fi
  rm -f "$log"
  cp "$wanted" "$venv/installed.txt"
}
