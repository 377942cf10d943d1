#!/bin/sh
# Makes a Python environment in DIR with REQUIREMENT in it, as `make run` and `make test` need it.
#   usage: deploy/environment.sh DIR REQUIREMENT      deploy/environment.sh .venv '.[dev]'
# PYTHON=… chooses the interpreter. What the system lacks is installed when root runs this on Debian or its kin; anybody
# else is told the one line to type. A sound environment is kept and brought up to date, any other is made anew.
set -eu
venv=$1
requirement=$2
# There from the first file to the last: pip takes a package for installed as soon as its metadata is on disk, so after
# an interruption nothing in DIR can be trusted.
mark=$venv/.incomplete

suits='import sys; sys.exit(sys.version_info < (3, 11) or sys.maxsize < 2**32)'
describe='import struct, sys; print("%d.%d, %d-bit" % (*sys.version_info[:2], 8 * struct.calcsize("P")))'
sees_picamera2='import importlib.util, sys; sys.exit(importlib.util.find_spec("picamera2") is None)'
loads_libraries='import ctypes; [ctypes.CDLL(f"lib{name}") for name in ("stdc++.so.6", "gcc_s.so.1", "z.so.1")]'

die() {
  printf '%s\n' "$@" >&2
  exit 1
}

# need WHY PACKAGE…: has the packages afterwards, or ends
need() {
  why=$1
  shift
  command -v apt-get >/dev/null || die "$why." "Install what your system calls $*, then try again."
  [ "$(id -u)" = 0 ] || die "$why. Type this, then try again:" "  sudo apt-get install -y $*"
  echo "$why; installing $*" >&2
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  # a system's first start brings it up to date, and apt waits for dpkg's lock if it is told to
  set -- apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends "$@"
  # a container's image often comes without package lists
  "$@" </dev/null >/dev/null 2>&1 || { apt-get update -qq </dev/null && "$@" </dev/null >/dev/null; } ||
    die "That did not work; the command was: $*"
}

# prints the interpreter to use
find_python() {
  if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
  elif /usr/bin/python3 -I -c "$sees_picamera2" 2>/dev/null; then
    set -- /usr/bin/python3 # apt's picamera2 works in the system's Python only
  else
    set -- python3 /usr/bin/python3 python3.13 python3.12 python3.11
  fi
  for candidate; do
    if "$candidate" -c "$suits" 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  found=$("$1" -c "$describe" 2>/dev/null) || found="none that runs"
  die "A 64-bit Python from 3.11 on is needed; $1 is: $found." \
    "Use Debian or Raspberry Pi OS 12 or later in its 64-bit edition, or name an interpreter: PYTHON=/path/to/python3"
}

# whether DIR can be kept: made to its end, for this very place, and its interpreter is still there
sound() {
  here=$(cd "$venv" 2>/dev/null && pwd -P) || return 1
  [ ! -e "$mark" ] && "$venv/bin/pip" --version 2>/dev/null | grep -qF "from $here/" &&
    "$venv/bin/python" -c "$suits" 2>/dev/null
}

make_venv() {
  [ -n "${PYTHON:-}" ] || command -v python3 >/dev/null || need "There is no python3" python3 python3-venv
  python=$(find_python)
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    [ "$python" != /usr/bin/python3 ] || package=python3-venv
    need "$python cannot make environments" "$package"
  fi
  "$python" -c "$loads_libraries" 2>/dev/null || need "A shared library is missing" libstdc++6 libgcc-s1 zlib1g
  site=
  if "$python" -I -c "$sees_picamera2" 2>/dev/null; then site=--system-site-packages; fi
  rm -rf "$venv"
  mkdir -p "$venv"
  : >"$mark"
  "$python" -m venv $site "$venv"
}

install() {
  "$venv/bin/python" -m pip install --quiet -e "$requirement" || return
  grep -q '^include-system-site-packages = true' "$venv/pyvenv.cfg" || return 0
  # apt's simplejpeg, which picamera2 imports, is built for apt's numpy: raspberrypi/picamera2#1211
  "$venv/bin/python" -m pip install --quiet --ignore-installed --no-deps simplejpeg
}

PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_DISABLE_PIP_VERSION_CHECK
sound || make_venv
: >"$mark"
echo "Installing what is needed into $venv; the first time this takes a while" >&2
if install; then status=0; else status=1; fi
# pip came to an end by itself: without a network an environment that worked goes on working
rm "$mark"
exit $status
