# Putting a release to use: the unit, the switch, and back if it does not start. Sourced by install.sh.
# shellcheck shell=sh disable=SC2034,SC2154  # the settings are shared with the script and its other parts

service=emotion-edge.service

systemd_runs() {
  [ -d "$root/run/systemd/system" ]
}

# point LINK RELEASE: in one step, so that there is always one or the other
point() {
  change ln -sfn "releases/${2##*/}" "$1.new"
  change mv -fT "$1.new" "$1"
}

# install_unit RELEASE: the unit that came with it; sets changed=yes if it was another before
install_unit() {
  changed=no
  # who has disabled it wants it so; but a first installation may have been broken off before it was enabled
  wanted=no
  if [ ! -e "$unit" ] || [ -z "$was" ]; then wanted=yes; fi
  from=$1/share/emotion-edge/systemd
  # with --dry-run the release is not there
  [ -d "$from" ] || from=$here
  copy "$from/emotion-edge.service" "$unit"
  if [ "$picamera2" = yes ] && [ -f "$from/picamera2.conf" ]; then
    copy "$from/picamera2.conf" "$unit.d/picamera2.conf"
  elif [ -f "$unit.d/picamera2.conf" ]; then
    changed=yes
    change rm "$unit.d/picamera2.conf"
  fi
  if [ "$changed" = yes ] && systemd_runs; then change systemctl daemon-reload; fi
  if systemctl is-enabled --quiet "$service" 2>/dev/null; then return 0; fi
  if [ "$wanted" = yes ]; then
    change systemctl enable "$service"
  else
    note "The service is disabled and stays so: it does not start with the system."
  fi
}

# get_ready: starts the service anew and waits until it says that it is ready, and still is a moment later
get_ready() {
  began=$(date +%s)
  # earlier failures count against its start limit
  change systemctl reset-failed "$service" 2>/dev/null || :
  if change systemctl restart "$service" 2>/dev/null && stays; then return 0; fi
  note "It did not get ready. Its log:"
  # its last words may still be on their way
  journalctl --sync 2>/dev/null || :
  # with --since, its own --lines counts from the front on older systems
  journalctl --unit="$service" --since="@$began" --no-pager --output=cat | tail -n 20 | sed 's/^/    /'
  return 1
}

stays() {
  [ "$dry_run" = no ] || return 0
  pid=$(systemctl show --property=MainPID --value "$service")
  sleep 2
  systemctl is-active --quiet "$service" && [ "$(systemctl show --property=MainPID --value "$service")" = "$pid" ]
}

# use RELEASE: puts it to use, or what was in use before if it does not get ready
use() {
  was=$(current)
  # an earlier run was broken off while it tried a release: this is what had worked before
  if [ -f "$switching" ]; then
    was=$(tried_after)
  elif [ "$was" = "$1" ]; then
    keep_using "$1"
    return
  fi
  [ -d "$was" ] || was=
  say "Switching to ${1##*/}"
  trying=$1
  printf '%s\n' "$was" | put "$switching" 600 root:root
  point "$venv" "$1"
  install_unit "$1"
  if wanted_running; then
    say "Starting the service"
    get_ready || fall_back "$1"
  fi
  [ -z "$was" ] || [ "$was" = "$1" ] || point "$previous" "$was"
  change rm -f "$switching"
  drop_others
}

wanted_running() {
  [ "$start" = yes ] || return
  systemd_runs && return
  note "systemd does not run here: the service starts with the next boot."
  return 1
}

# keep_using RELEASE: it is in use already; only what has been lost since is put right
keep_using() {
  install_unit "$1"
  if ! wanted_running || { [ "$changed" = no ] && systemctl is-active --quiet "$service"; }; then return 0; fi
  say "Starting the service"
  get_ready || die "emotion-edge ${1##*/} does not get ready. Its log above says why."
}

# fall_back RELEASE: it did not get ready; the end
fall_back() {
  if [ -z "$was" ] || [ "$was" = "$1" ]; then
    rm -f "$switching"
    die "emotion-edge ${1##*/} is installed, but does not get ready. Its log above says why."
  fi
  say "Switching back to ${was##*/}"
  point "$venv" "$was"
  install_unit "$was"
  if get_ready; then again="runs again"; else again="does not get ready either"; fi
  rm -f "$switching"
  drop_others
  die "emotion-edge ${1##*/} did not get ready and is not used; ${was##*/} $again."
}

# roll_back: to the release before; the one in use becomes the one before
roll_back() {
  before=$(kept)
  [ -d "$before" ] || die "There is no release before the one in use: nothing to roll back to."
  picamera2=no
  [ ! -f "$before/share/emotion-edge/systemd/picamera2.conf" ] || picamera2=yes
  say "Checking ${before##*/}"
  works "$before" || die "${before##*/} does not work any more; $(basename "$(current)") stays in use."
  check_settings "$before"
  use "$before"
}
