# What the system has to be, and what it lacks. Sourced by install.sh.
# shellcheck shell=sh disable=SC2034,SC2154  # the settings are shared with the script and its other parts

suits='import sys; sys.exit(sys.version_info < (3, 11) or sys.maxsize < 2**32)'
describes='import struct, sys; print("%d.%d, %d-bit" % (*sys.version_info[:2], 8 * struct.calcsize("P")))'
sees_picamera2='import importlib.util, sys; sys.exit(importlib.util.find_spec("picamera2") is None)'
loads_libraries='import ctypes; [ctypes.CDLL(f"lib{name}") for name in ("stdc++.so.6", "gcc_s.so.1", "z.so.1")]'

# told NAME: a value of os-release(5), empty if it is not there
told() {
  sed -n "s/^$1=//p" "$root/etc/os-release" | tr -d "\"'" | head -n 1
}

# not_before VERSION: whether the system is that one or a later one; one without a number is still in the making
not_before() {
  found=$(told VERSION_ID)
  [ -z "$found" ] || [ "$(printf '%s\n' "$found" "$1" | sort -V | head -n 1)" = "$1" ]
}

# sets arch, suite and constraints, or ends
check_system() {
  say "Checking this system"
  [ -r "$root/etc/os-release" ] || die "There is no $root/etc/os-release to tell what system this is." "$supported"
  name=$(told PRETTY_NAME)
  arch=$(dpkg --print-architecture 2>/dev/null) || die "$name has no dpkg." "$supported"
  command -v systemctl >/dev/null || die "$name has no systemd, and a service needs it." "$supported"
  case $arch in
    amd64 | arm64) ;;
    armhf | armel | i386)
      die "$name is a 32-bit system ($arch), whatever its kernel is; no TensorFlow Lite is made for those." \
        "A Raspberry Pi 3, 4, 5 or Zero 2 runs the 64-bit edition of Raspberry Pi OS: write that to the card."
      ;;
    *) die "No packages are made for the architecture $arch." "$supported" ;;
  esac
  case $(told ID) in
    debian | raspbian) oldest=12 ;;
    ubuntu) oldest=24.04 ;;
    *)
      case " $(told ID_LIKE) " in
        *" debian "* | *" ubuntu "*) oldest= ;;
        *) die "$name is none of the systems this is made for." "$supported" ;;
      esac
      note "$name is not among the systems this was tried on."
      ;;
  esac
  [ -z "$oldest" ] || not_before "$oldest" || die "$name is too old." "$supported"
  suite=$(told VERSION_CODENAME)
  constraints=$here/constraints/$suite.txt
  [ -n "$suite" ] && [ -f "$constraints" ] || constraints=$here/constraints/other.txt
  note "$name, $arch"
}

# need WHY PACKAGE…: has the packages afterwards, or ends
need() {
  why=$1
  shift
  [ "$offline" = no ] || die "$why, and nothing is fetched from a network." \
    "Install these packages of $name first, for example from its medium: $*"
  say "$why: installing $*"
  apt_install "$@" || die "That did not work. See what this says, then try again:" "apt-get install $*"
}

apt_install() {
  # a system's first start brings it up to date; apt waits for dpkg's lock if it is told to
  set -- env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
    install -qq -y --no-install-recommends "$@"
  # a fresh card often comes without package lists, or with old ones
  patiently "$@" 2>/dev/null || { patiently apt-get update -qq && patiently "$@"; }
}

# patiently COMMAND…: of apt; again while its lists or its archive are locked, which it does not wait for itself
patiently() {
  left=30
  until change "$@" 2>/dev/null; do
    case $said in */lists/lock* | */archives/lock*) ;; *) left=0 ;; esac
    if [ "$left" = 0 ]; then
      [ -z "$said" ] || printf '%s\n' "$said" | sed 's/^/    /' >&2
      return 1
    fi
    [ "$left" != 30 ] || note "Something else brings this system up to date; waiting for it, up to five minutes."
    left=$((left - 1))
    sleep 10
  done
}

# whether there is a fitting Python; installs what it lacks, or ends
find_python() {
  command -v "$python" >/dev/null || need "There is no $python" python3 python3-venv
  if [ "$dry_run" = yes ] && ! command -v "$python" >/dev/null; then return 0; fi
  "$python" -I -c "$suits" 2>/dev/null ||
    die "A 64-bit Python from 3.11 on is needed; $python is $("$python" -I -c "$describes" 2>&1)." "$supported"
  "$python" -I -c 'import ensurepip, venv' 2>/dev/null || need "$python cannot make environments" python3-venv
  "$python" -I -c "$loads_libraries" 2>/dev/null || need "A shared library is missing" libstdc++6 libgcc-s1 zlib1g
}

# sets picamera2: yes where cameras on a ribbon cable can be used; installs it on a Raspberry Pi, or if asked to
find_picamera2() {
  picamera2=yes
  if "$python" -I -c "$sees_picamera2" 2>/dev/null; then return 0; fi
  if [ "$want_picamera2" = yes ]; then
    need "There is no picamera2" python3-picamera2
    return
  fi
  picamera2=no
  grep -qs 'Raspberry Pi' "$root/proc/device-tree/model" || return 0
  if [ "$offline" = yes ]; then
    note "python3-picamera2 is missing and nothing is fetched: cameras on the ribbon cable will not be found."
    return
  fi
  say "This is a Raspberry Pi: installing python3-picamera2 for the cameras on its ribbon cable"
  if apt_install python3-picamera2; then
    picamera2=yes
  else
    note "python3-picamera2 could not be installed; apt says why above." \
      "Cameras on the ribbon cable will not be found, others will; run this again to try anew."
  fi
}

# check_space: whether another release has room
check_space() {
  place=$home
  while [ ! -d "$place" ]; do place=$(dirname "$place"); done
  free_mb=$(df -Pk "$place" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free_mb" -ge "$release_mb" ] ||
    die "$home has $free_mb MB left, and a release takes $release_mb MB while it is installed." \
      "Free some space, for example with: apt-get clean; journalctl --vacuum-size=50M"
}
