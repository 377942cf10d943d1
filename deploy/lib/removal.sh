# Taking it away again. Sourced by install.sh.
# shellcheck shell=sh disable=SC2034,SC2154  # the settings are shared with the script and its other parts

# refuse_other_installs: what another hand has installed is not ours to change
refuse_other_installs() {
  case $(dpkg-query --show --showformat='${db:Status-Abbrev}' emotion-edge 2>/dev/null) in
    # neither not installed nor with nothing left but its settings: also one that is on hold or not quite installed
    '' | ?n* | ?c*) ;;
    *)
      die "emotion-edge is installed as a package. To go on with this script, remove that first:" \
        "sudo apt-get remove emotion-edge      (configuration and token stay)"
      ;;
  esac
  if [ ! -e "$venv" ] || [ -L "$venv" ]; then return 0; fi
  die "$venv is a folder that this script has not made. Move it away, then try again:" \
    "sudo systemctl disable --now emotion-edge; sudo mv $venv $venv.old"
}

# remove: the program and its unit; configuration, token, records and the user stay, but with --purge
remove() {
  say "Removing the service"
  if [ -e "$unit" ]; then
    if systemd_runs; then change systemctl disable --now "$service"; else change systemctl disable "$service"; fi
  fi
  change rm -f "$unit" "$unit.d/picamera2.conf"
  # a package that was removed remembers that its unit was enabled; installed again it would take this end for the
  # administrator's wish
  remembered=$root/var/lib/systemd/deb-systemd-helper-enabled
  change rm -f "$remembered/$service.dsh-also" "$remembered/multi-user.target.wants/$service"
  if systemd_runs; then change systemctl daemon-reload; fi
  [ "$(readlink "$shortcut")" != "$venv/bin/emotion-edge" ] || change rm "$shortcut"
  say "Removing the program"
  change rm -rf "$venv" "$previous" "$switching" "$releases"
  # whatever else somebody has put there stays
  [ ! -d "$home" ] || change rmdir --ignore-fail-on-non-empty "$home"
  if [ "$purge" = no ]; then
    [ ! -d "$unit.d" ] || change rmdir --ignore-fail-on-non-empty "$unit.d"
    note "Configuration and token stay in ${config%/*}, records in $state; --uninstall --purge removes them."
    return
  fi
  say "Removing configuration, token, records and the user"
  change rm -rf "${config%/*}" "$state" "$unit.d"
  if getent passwd emotion-edge >/dev/null; then change userdel emotion-edge; fi
}
