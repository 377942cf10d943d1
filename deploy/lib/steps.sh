# Telling, doing or only showing, refusing: what every step is made of. Sourced; goes by $dry_run.
# shellcheck shell=sh disable=SC2034,SC2154  # the settings are shared with the script

# say TEXT: what is done now
say() {
  printf '==> %s\n' "$1"
}

# note TEXT…: more about it, a line each
note() {
  printf '    %s\n' "$@"
}

# die TEXT…: what is wrong and what to do, a line each; the end
die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  shift
  [ $# = 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# leave: what is half done is tidied away, or told; the end, however it came
leave() {
  status=$?
  trap - EXIT
  [ -z "$work" ] || rm -rf "$work"
  if [ "$dry_run" = yes ]; then exit $status; fi
  if [ -n "$making" ]; then
    rm -rf "$making"
    [ ! -L "$venv" ] || note "Nothing was switched: $(basename "$(current)") is in use as before." >&2
  fi
  if [ -n "$trying" ] && [ -e "$switching" ]; then note "Broken off while switching; run this again." >&2; fi
  exit $status
}

# quoted WORD: as it can be typed
quoted() {
  case $1 in
    '' | *[!A-Za-z0-9_./:=@,+~-]*) printf "'%s'" "$1" ;;
    *) printf '%s' "$1" ;;
  esac
}

# shown COMMAND…: the line that --dry-run prints in its place
shown() {
  printf '    would run:'
  for word; do
    printf ' '
    quoted "$word"
  done
  printf '\n'
}

# change COMMAND…: everything that changes the system is done by this. What the command prints is shown if it fails.
change() {
  if [ "$dry_run" = yes ]; then
    shown "$@"
    return
  fi
  if said=$("$@" 2>&1 </dev/null); then return 0; else status=$?; fi
  [ -z "$said" ] || printf '%s\n' "$said" | sed 's/^/    /' >&2
  return "$status"
}

# put PATH MODE OWNER: makes a file of standard input, whole or not at all
put() {
  if [ "$dry_run" = yes ]; then
    cat >/dev/null
    printf '    would write: %s (%s, %s)\n' "$1" "$3" "$2"
    return
  fi
  mkdir -p "${1%/*}"
  (umask 077 && cat >"$1.new")
  chown "$3" "$1.new"
  chmod "$2" "$1.new"
  sync "$1.new"
  mv -f "$1.new" "$1"
}

# copy FROM TO: for a file that everybody may read; sets changed=yes if it is not there like that
copy() {
  if cmp -s "$1" "$2"; then return 0; fi
  changed=yes
  change install -D -m 644 "$1" "$2"
}
