#!/bin/sh
# Gathers all that an installation without a network needs in a folder that is carried to the device.
#   usage: deploy/wheelhouse.sh DIR [--suite bookworm|trixie|noble|resolute] [--arch amd64|arm64]
# The suite and the architecture are those of the device; unless given, those of this machine. There: sudo sh DIR/install.sh
# PYTHON=… chooses the interpreter that gathers, from 3.11 on; it need not be that of the device.
set -eu
umask 022
unset PYTHONPATH PYTHONHOME
here=$(cd "$(dirname "$0")" && pwd)
dry_run=no
# shellcheck source=deploy/lib/steps.sh
. "$here/lib/steps.sh"
usage="usage: $(quoted "$0") DIR [--suite bookworm|trixie|noble|resolute] [--arch amd64|arm64]"

target='' suite='' arch=''
while [ $# -gt 0 ]; do
  case $1 in
    --suite=* | --arch=*)
      option=${1%%=*} value=${1#*=}
      shift
      set -- "$option" "$value" "$@"
      continue
      ;;
    --suite | --arch)
      [ -n "${2:-}" ] || die "$1 needs a value."
      [ "$1" = --arch ] && arch=$2 || suite=$2
      shift
      ;;
    -h | --help)
      sed -n '2,5s/^# //p' "$0"
      exit 0
      ;;
    -*) die "There is no option $1." "$usage" ;;
    *)
      [ -z "$target" ] || die "Expected one folder, found $target and $1."
      target=$1
      ;;
  esac
  shift
done
[ -n "$target" ] || die "A folder to gather in is missing." "$usage"
[ -n "$suite" ] || suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
[ -n "$arch" ] || arch=$(dpkg --print-architecture)

constraints=$here/constraints/$suite.txt
[ -f "$constraints" ] || constraints=$here/constraints/other.txt
# wheels say for which C library they are made; each system takes those for its own and for older ones
case $suite in
  bookworm) version=3.11 glibc=36 ;;
  trixie) version=3.13 glibc=41 ;;
  noble) version=3.12 glibc=39 ;;
  resolute) version=3.14 glibc=42 ;;
  *)
    die "A suite is bookworm, trixie (Debian and Raspberry Pi OS), noble or resolute (Ubuntu), found: $suite." \
      "Name that of the device, for example: --suite bookworm"
    ;;
esac
case $arch in
  amd64) machine=x86_64 ;;
  arm64) machine=aarch64 ;;
  *) die "An architecture is amd64 or arm64, found: $arch. Name that of the device: --arch arm64" ;;
esac
[ "$(realpath -m "$target")" != "$(realpath "$here")" ] || die "Gather in another folder than that of this script."
if [ -n "$(ls -A "$target" 2>/dev/null)" ] && [ ! -f "$target/TARGET" ]; then
  die "$target is not empty, and nothing this script has made. Name another folder."
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

say "Gathering for $suite on $arch in $target"
rm -f "$target/TARGET"
for name in wheels models lib constraints; do rm -rf "${target:?}/$name"; done
mkdir -p "$target/wheels" "$target/models"
target=$(cd "$target" && pwd)
change "${PYTHON:-python3}" -m venv "$work/tools" ||
  die "${PYTHON:-python3} makes no environments." "On Debian: sudo apt-get install -y python3-venv"
python=$work/tools/bin/python

if [ -f "$here/../pyproject.toml" ]; then
  change "$python" -m pip wheel --quiet --no-deps --wheel-dir "$target/wheels" "$here/.." ||
    die "The program's wheel could not be built; pip says why above."
else
  cp "$here"/wheels/emotion_edge-*.whl "$target/wheels"
fi
wheel=$(ls "$target"/wheels/emotion_edge-*.whl)

set --
while [ "$glibc" -ge 17 ]; do
  set -- "$@" --platform "manylinux_2_${glibc}_$machine"
  glibc=$((glibc - 1))
done
# pip decides by its own Python what a device's needs: aiohttp asks for typing-extensions before 3.13 only
change "$python" -m pip download --quiet --only-binary=:all: --python-version "$version" --implementation cp \
  "$@" --platform "manylinux2014_$machine" --constraint "$constraints" --dest "$target/wheels" \
  "${wheel}[mqtt]" typing-extensions || die "Not all wheels could be fetched; pip says why above."

say "Gathering the models"
# a wheel is a ZIP file, and Python reads modules out of those
change env PYTHONPATH="$wheel" "$python" -c \
  'import sys; from pathlib import Path; from edge.model_store import fetch; fetch(Path(sys.argv[1]))' "$target/models" ||
  die "The face detectors could not be fetched; is there a network?"

for name in install.sh wheelhouse.sh lib constraints config.toml emotion-edge.service picamera2.conf; do
  cp -R "$here/$name" "$target/"
done
printf 'suite=%s\narch=%s\npython=%s\n' "$suite" "$arch" "$version" >"$target/TARGET"
script=$(quoted "$(basename "$target")/install.sh")
say "Done: $(du -sh "$target" | cut -f 1). Carry $target to the device, and there: sudo sh $script"
