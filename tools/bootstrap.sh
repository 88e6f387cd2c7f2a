# Sourced by ./jogak: which packages a fresh Debian 12 or Ubuntu 24.04 lacks, and how they get there.
assume_yes=${assume_yes:-${CI:+1}}

packages_of() {
  case $1 in
    build)
      echo libcpp-httplib-dev pkg-config
      echo g++ cmake ninja-build make verilator "$(clang_package)"
      echo libsystemc-dev libyaml-cpp-dev libpng-dev nlohmann-json3-dev libcli11-dev libprotobuf-dev libutf8proc-dev protobuf-compiler python3-venv
      ;;
    test) echo doctest-dev python3-yaml berkeley-abc libxrt-dev libboost-dev unzip ;;
    extra) echo g++-aarch64-linux-gnu qemu-user libopenmpi-dev openmpi-bin ;;
  esac
}

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# A program that is there counts, however it came.
present() {
  installed "$1" && return
  case $1 in
    g++ | cmake | make | verilator | clang-[0-9]*) command -v "${1/clang-/clang++-}" >/dev/null ;;
    ninja-build) command -v ninja >/dev/null ;;
    berkeley-abc) command -v berkeley-abc yosys-abc >/dev/null ;;
    python3-yaml) python3 -c 'import yaml' 2>/dev/null ;;
    *) return 1 ;;
  esac
}
available() { [[ $(LC_ALL=C apt-cache policy "$1" 2>/dev/null) =~ Candidate:\ [^\(] ]]; }

# The clang that is there; else the measured one, else the newest on offer.
clang_package() {
  local version
  for version in 19 22 21 20 18 17 16 15 14; do
    if installed "clang-$version"; then echo "clang-$version"; return; fi
  done
  for version in 19 22 21 20 18 17 16 15 14; do
    if available "clang-$version"; then echo "clang-$version"; return; fi
  done
  echo clang
}

job_count() {
  local cores memory_gib
  cores=$(nproc)
  memory_gib=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo 2>/dev/null || echo 4)
  # A heavy translation unit takes about one GiB.
  if ((memory_gib < 1)); then echo 1; elif ((memory_gib < cores)); then echo "$memory_gib"; else echo "$cores"; fi
}

agreed() {
  [[ -n $assume_yes || ! -t 0 ]] && return 0
  local answer
  read -r -p "Install them now? [Y/n] " answer
  [[ $answer != [nN]* ]]
}

as_root() {
  if ((EUID == 0)); then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else
    echo "jogak: not root and no sudo, please run as root: $*" >&2
    return 1
  fi
}

# Other systems: the programs must be there already, by whatever name their packages have.
need_programs() {
  local program missing=()
  for program in c++ cmake ninja make verilator; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  if ((${#missing[@]})); then
    echo "jogak: this system has no apt-get and lacks: ${missing[*]}" >&2
    echo "jogak: also needed are protobuf with its compiler, the headers of yaml-cpp, nlohmann-json, CLI11, utf8proc and, for tests, doctest" >&2
    exit 3
  fi
}

# need_packages <group>...: build, test or extra. `extra` is optional: tests that need it skip and say so.
need_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then need_programs; return; fi
  # A fresh image has no package lists, and the choice of clang needs them.
  if ! available cmake && ! installed cmake; then as_root apt-get update -qq >&2 || true; fi
  local group package missing=()
  for group in "$@"; do
    for package in $(packages_of "$group"); do
      present "$package" || missing+=("$package")
    done
  done
  ((${#missing[@]})) || return 0
  echo "jogak: these packages are missing: ${missing[*]}" >&2
  if ! agreed; then
    echo "jogak: nothing installed; without these packages this cannot go on" >&2
    exit 3
  fi
  local log
  log=$(mktemp)
  as_root apt-get update -qq >"$log" 2>&1 || echo "jogak: package lists not refreshed, trying the old ones" >&2
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "jogak: packages not installed, found an apt-get error (above), expected: ${missing[*]}" >&2
    exit 3
  fi
  rm -f "$log"
  echo "jogak: packages installed" >&2
}
