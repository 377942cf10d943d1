#!/bin/sh
# Installs emotion-edge as a service, brings it up to date, takes it back a version, or removes it.
# Each version gets a folder of its own and is tried there before it is switched to. Broken off before the switch, what
# ran before goes on running; broken off during it, run this again: it goes on, or goes back.
set -eu
umask 022
# what is run here is the system's Python and the release's, not what the caller has set up for another
unset PYTHONPATH PYTHONHOME EMOTION_EDGE_MODELS EMOTION_EDGE_CONFIG
here=$(cd "$(dirname "$0")" && pwd)

usage() {
  cat <<END
Installs emotion-edge as a service, or brings it up to date: run it again with the newer version.

  sudo sh $(quoted "$0") [OPTION…]

  --lan               open the page to the network; without it, to this machine only
  --camera URI        the camera, as \`emotion-edge sources\` names it; without it, the first that answers
  --picamera2         install python3-picamera2; on a Raspberry Pi this is done anyway
  --wheelhouse DIR    take everything from DIR, made by wheelhouse.sh, and nothing from a network
  --no-start          do not start the service; it starts with the next boot
  --rollback          back to the version before this one
  --uninstall         remove the program; configuration, token and records stay
  --purge             with --uninstall: remove those as well
  --dry-run           show what would be done, and do nothing
  --root DIR          with --dry-run: look at the system in DIR instead of this one
  --help              show this

--lan and --camera are written to /etc/emotion-edge/config.toml when it is made; one that is there is never changed.
END
}

dry_run=no action=install lan=no camera='' want_picamera2=no wheelhouse='' start=yes purge=no root=''
offline=no offline_hint='; is there a network? Without one: --wheelhouse DIR'
# apt's picamera2 works with the system's Python only
python=${PYTHON:-/usr/bin/python3}
wheels='' wheel='' version='' models=/nonexistent checkout='' picamera2=no work='' making='' trying=''
supported="Made for Debian and Raspberry Pi OS from 12 on and Ubuntu from 24.04 on, in their 64-bit editions."
# an environment has some 400 MB, and pip unpacks into it
release_mb=700

# shellcheck source=deploy/lib/steps.sh
. "$here/lib/steps.sh"
# shellcheck source=deploy/lib/system.sh
. "$here/lib/system.sh"
# shellcheck source=deploy/lib/program.sh
. "$here/lib/program.sh"
# shellcheck source=deploy/lib/settings.sh
. "$here/lib/settings.sh"
# shellcheck source=deploy/lib/release.sh
. "$here/lib/release.sh"
# shellcheck source=deploy/lib/service.sh
. "$here/lib/service.sh"
# shellcheck source=deploy/lib/removal.sh
. "$here/lib/removal.sh"

refuse_argument() {
  printf '%s: %s\n  %s\n' "${0##*/}" "$1" "sh $(quoted "$0") --help shows what there is." >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --wheelhouse=* | --camera=* | --root=*)
      option=${1%%=*} value=${1#*=}
      shift
      set -- "$option" "$value" "$@"
      continue
      ;;
    --wheelhouse | --camera | --root)
      [ -n "${2:-}" ] || refuse_argument "$1 needs a value."
      case $1 in
        --wheelhouse) wheelhouse=$2 ;;
        --camera) camera=$2 ;;
        --root) root=${2%/} ;;
      esac
      shift
      ;;
    --lan) lan=yes ;;
    --picamera2) want_picamera2=yes ;;
    --no-start) start=no ;;
    --purge) purge=yes ;;
    --dry-run) dry_run=yes ;;
    --rollback | --uninstall)
      [ "$action" = install ] || refuse_argument "--rollback and --uninstall do not go together."
      action=${1#--}
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) refuse_argument "There is no option $1." ;;
  esac
  shift
done
[ "$purge" = no ] || [ "$action" = uninstall ] || refuse_argument "--purge goes with --uninstall only."
[ -z "$root" ] || [ "$dry_run" = yes ] || refuse_argument "--root goes with --dry-run only."
case $camera in
  *[\"\\]* | *[[:cntrl:]]*) refuse_argument "A camera's URI has no quotes, backslashes or control characters: $camera" ;;
esac
# the service's user need not be allowed to see where this is started
case $wheelhouse in '' | /*) ;; *) wheelhouse=$PWD/$wheelhouse ;; esac
case $root in '' | /*) ;; *) root=$PWD/$root ;; esac
cd /

home=$root/opt/emotion-edge
releases=$home/releases venv=$home/venv previous=$home/previous switching=$home/switching
config=$root/etc/emotion-edge/config.toml token=$root/etc/emotion-edge/token
unit=$root/etc/systemd/system/emotion-edge.service
state=$root/var/lib/emotion-edge
shortcut=$root/usr/local/bin/emotion-edge

trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ "$dry_run" = no ]; then
  [ "$(id -u)" = 0 ] || die "Only root can do this. Type: sudo sh $(quoted "$0")"
  exec 9>/run/emotion-edge-install.lock
  flock --nonblock 9 || {
    say "Another installation is at work; waiting for its end"
    flock --timeout 900 9 || die "It did not end within 15 minutes. See what it does: ps -ef | grep emotion-edge"
  }
fi
refuse_other_installs

case $action in
  uninstall)
    remove
    say "Done"
    exit 0
    ;;
  rollback) roll_back ;;
  install)
    check_system
    find_program
    [ "$offline" = no ] || offline_hint='; nothing was fetched from a network'
    find_python
    check_target
    find_picamera2
    make_user
    make_settings
    build_wheel
    get_release
    check_settings "$release"
    use "$release"
    if [ ! -e "$shortcut" ] && [ ! -L "$shortcut" ]; then change ln -s "$venv/bin/emotion-edge" "$shortcut"; fi
    ;;
esac
tell_addresses
