#!/usr/bin/env bash
# Usage: identical.sh <mpiexec> <jogak-mpi>. A package over 1, 2 and 4 processes ends in the same cycle with the same bits; the last case
# loses lanes and a link in the middle, and must have replayed. A die that never answers ends all. Then over two hosts: this computer under two names, which Open MPI takes for
# two computers and joins by TCP.
set -euo pipefail
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
wrong() { echo "mpi: $1" >&2; exit 1; }

# What must not depend on the processes: all up to their number.
run() {
  local processes=$1
  shift
  "$mpiexec" --oversubscribe --mca mpi_yield_when_idle 1 -n "$processes" "$program" "$@" | sed 's/, "processes".*//'
}

mpiexec=$1 program=$2 four=4
for case in "--rounds 3 --seed 4" "--rounds 2 --seed 5 --ber 1e-5 --latency-ps 3000 --gb-per-s 17" "--rounds 14 --seed 6 --ber 1e-6 --latency-ps 40000 --trouble"; do
  # shellcheck disable=SC2086
  one=$("$program" $case | sed 's/, "processes".*//')
  [[ $one == *'"hash"'* ]] || wrong "$case: one process printed nothing"
  [[ $case != *trouble* || $one != *'"replays": 0,'* ]] || wrong "$case: found no replay, expected some"
  for processes in 2 $four; do
    # shellcheck disable=SC2086
    many=$(run "$processes" $case)
    echo "$processes: $many"
    [[ $many == "$one" ]] || wrong "$case: $processes processes, found $many, expected $one"
  done
  four=''  # once is enough
done

# A die that never answers: all processes end, with the words of one, and say which die waits for what.
silent="--rounds 2 --seed 4 --silent 3 --patience 20000"
# shellcheck disable=SC2086
one=$("$program" $silent 2>&1) && wrong "$silent: one process, found an end, expected a refusal"
[[ $one == *"die 0: its "*" waits for "*" of semaphore 35, which another die signals"*"unchanged for 20000 cycles"* ]] || wrong "$silent: one process, found $one, expected die, engine and semaphore"
# shellcheck disable=SC2086
many=$("$mpiexec" --oversubscribe --mca mpi_yield_when_idle 1 -n 2 "$program" $silent 2>&1) && wrong "$silent: two processes, found an end, expected a refusal"
[[ $many == *"$one"* ]] || wrong "$silent: two processes, found $many, expected $one"

# Bad input is refused by name.
refused() {
  local words=$1 processes=$2
  shift 2
  local said
  said=$(timeout 60 "$mpiexec" --oversubscribe -n "$processes" "$program" "$@" 2>&1) && wrong "$*: found an end, expected a refusal"
  [[ $said == *"$words"* ]] || wrong "$*: found $said, expected $words"
}
refused "jogak-mpi: --rounds, found many, expected a number from 1 to 1000" 1 --rounds many
refused "jogak-mpi: option, found --colour, expected --config" 2 --colour red
refused "configuration, found nano" 1 --config nano
refused "package: processes, found 3 with access_cycles 48, expected a divisor of 4 dies" 3 --rounds 1

# In place of ssh, as mpirun calls it: HOST COMMAND.
if unshare --uts true 2>/dev/null; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  printf '%s\n' '#!/bin/sh' 'host=$1; shift' 'exec unshare --uts sh -c '"'"'hostname "$0"; exec sh -c "$1"'"'"' "$host" "$*"' >"$folder/agent"
  chmod +x "$folder/agent"
  case="--rounds 2 --seed 5"
  # shellcheck disable=SC2086
  one=$("$program" $case | sed 's/, "processes".*//')
  # shellcheck disable=SC2086
  many=$("$mpiexec" --mca plm_rsh_agent "$folder/agent" --mca mpi_yield_when_idle 1 --host first:1,second:1 -n 2 "$program" $case | sed 's/, "processes".*//')
  echo "two hosts: $many"
  [[ $one == *'"hash"'* && $many == "$one" ]] || wrong "$case: two hosts, found $many, expected $one"
else
  echo "two hosts: not run, as unshare --uts needs root"
fi
