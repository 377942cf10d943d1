# A release is an environment of its own, with the program, its models and its unit. Sourced by install.sh.
# shellcheck shell=sh disable=SC2034,SC2154  # the settings are shared with the script and its other parts

# The last file of a release, so without it an installation was broken off. It tells what the release was made of.
mark=.complete

# current: the release in use, empty if there is none
current() {
  [ ! -L "$venv" ] || readlink -f "$venv"
}

# kept: the release before that, empty if there is none
kept() {
  [ ! -L "$previous" ] || readlink -f "$previous"
}

# tried_after: the release that was in use when another was tried and that was broken off, empty if there is none
tried_after() {
  [ ! -f "$switching" ] || cat "$switching"
}

# as_service COMMAND…: as the user that the service runs as
as_service() {
  change runuser -u emotion-edge -- env -i HOME="$state" STATE_DIRECTORY="$state" PATH=/usr/bin:/bin "$@"
}

# works RELEASE: whether its models are whole and answer as when they were made, and its parts fit this system
works() {
  as_service "$1/bin/emotion-edge" models verify || return
  [ "$picamera2" = no ] || as_service "$1/bin/python" -I -c 'import picamera2' ||
    note "picamera2 does not load: cameras on the ribbon cable will not be found, others will."
}

# examine RELEASE: whether its doctor finds it fit for this system; what else it finds is told
examine() {
  if [ "$dry_run" = yes ]; then
    as_service "$1/bin/emotion-edge" doctor --json
    return
  fi
  "$1/bin/emotion-edge" doctor --help >/dev/null 2>&1 || return 0
  say "Asking the doctor about this system"
  found=$(runuser -u emotion-edge -- env -i HOME="$state" STATE_DIRECTORY="$state" PATH=/usr/bin:/bin \
    "$1/bin/emotion-edge" doctor --json 2>/dev/null </dev/null) || :
  printf '%s\n' "$found" | "$python" -I "$here/lib/findings.py"
}

# made_of: what a release made now would be made of
made_of() {
  sha256sum <"$wheel"
  cat "$constraints" "$here/emotion-edge.service" "$here/picamera2.conf" | sha256sum
  "$python" -I -c 'import sys; print("python %d.%d" % sys.version_info[:2])'
  echo "picamera2 $picamera2"
}

# sets release: one that is there already and is just what would be made, else a new one
get_release() {
  release=
  if [ -f "$wheel" ]; then
    parts=$(made_of)
    for candidate in "$venv" "$releases"/*; do
      if [ -f "$candidate/$mark" ] && [ "$(cat "$candidate/$mark")" = "$parts" ]; then
        release=$(readlink -f "$candidate")
        break
      fi
    done
  fi
  if [ -n "$release" ]; then
    say "Checking emotion-edge $version, which is there already"
    if works "$release"; then return 0; fi
    note "It does not work any more, so it is made anew."
  fi
  make_release
}

make_release() {
  drop_others
  check_space
  release=$releases/$version
  number=1
  while [ -e "$release" ]; do
    number=$((number + 1))
    release=$releases/$version-$number
  done
  say "Installing emotion-edge $version into $release; this takes a minute, on a Raspberry Pi some minutes"
  making=$release
  site='' ignored='' links=''
  if [ "$picamera2" = yes ]; then
    site=--system-site-packages
    # what apt has is no part of the release: apt may remove it or bring another version
    ignored=--ignore-installed
  fi
  # as an option: pip takes the variable for a list, parted at the blanks of a folder's name
  [ "$offline" = no ] || links=--find-links=$wheels
  change mkdir -p "$releases"
  change "$python" -m venv $site "$release" || die "$python could not make an environment in $release."
  change "$release/bin/python" -m pip install --quiet --only-binary=:all: $ignored --constraint "$constraints" \
    ${links:+"$links"} "${wheel}[mqtt]" ||
    die "The program or what it needs could not be installed; pip says why above${offline_hint}."
  change install -D -m 644 -t "$release/share/emotion-edge/systemd" "$here/emotion-edge.service"
  [ "$picamera2" = no ] || change install -m 644 -t "$release/share/emotion-edge/systemd" "$here/picamera2.conf"
  say "Fetching and checking the models"
  [ ! -d "$models" ] || change install -D -m 644 -t "$release/share/emotion-edge/models" "$models"/*
  change "$release/bin/emotion-edge" models fetch || die "The face detectors could not be fetched${offline_hint}."
  works "$release" || die "The models do not answer as when they were made: this release is not used."
  examine "$release" || die "By what its doctor found, this release cannot work here: it is not used."
  # written to the card before anything says so: power may fail
  change sync
  [ "$dry_run" = yes ] || printf '%s\n' "$parts" | put "$release/$mark" 644 root:root
  making=
}

# running: the release that the service runs from, empty if it does not run. After --no-start it is not the one in use.
running() {
  systemd_runs || return 0
  main=$(systemctl show --property=MainPID --value "$service" 2>/dev/null) || return 0
  [ -r "$root/proc/$main/cmdline" ] || return 0
  from=$(tr '\0' '\n' <"$root/proc/$main/cmdline" | sed -n "s|^\($releases/[^/]*\)/bin/.*|\1|p" | head -n 1)
  [ -z "$from" ] || readlink -f "$from"
}

# drop_others: all releases but those in use, running or kept, those among them that were broken off
drop_others() {
  at_work=$(running)
  for folder in "$releases"/*; do
    [ -d "$folder" ] || continue
    folder=$(readlink -f "$folder")
    case $folder in
      "$(current)" | "$(kept)" | "$(tried_after)" | "$at_work") continue ;;
    esac
    [ ! -f "$folder/$mark" ] || change rm "$folder/$mark"
    change rm -rf "$folder"
  done
}
