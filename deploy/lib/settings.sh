# The service's user, its configuration and its token: made once, and kept. Sourced by install.sh.
# shellcheck shell=sh disable=SC2034,SC2154  # the settings are shared with the script and its other parts

make_user() {
  if ! getent passwd emotion-edge >/dev/null; then
    say "Making the user emotion-edge"
    getent group emotion-edge >/dev/null || change groupadd --system emotion-edge
    change useradd --system --gid emotion-edge --no-create-home --home-dir /var/lib/emotion-edge \
      --shell /usr/sbin/nologin emotion-edge
  fi
  for group in video render; do
    getent group "$group" >/dev/null || continue
    case " $(id -nG emotion-edge 2>/dev/null) " in
      *" $group "*) ;;
      *) change usermod --append --groups "$group" emotion-edge ;;
    esac
  done
  # systemd would make it when the service starts; the doctor looks for it before
  [ -d "$state" ] || change install -d -o emotion-edge -g emotion-edge -m 700 "$state"
}

# settings: the template with what was asked for
settings() {
  CAMERA=$camera LAN=$lan awk '
    /^\[/ { section = $0 }
    section == "[source]" && /^# uri = / && ENVIRON["CAMERA"] != "" { print "uri = \"" ENVIRON["CAMERA"] "\""; next }
    section == "[server]" && /^# host = / && ENVIRON["LAN"] == "yes" { print "host = \"0.0.0.0\""; next }
    { print }
  ' "$here/config.toml"
}

make_settings() {
  if [ -e "$config" ]; then
    [ -z "$camera" ] || note "$config is there and stays as it is; name the camera in it: uri = \"$camera\""
    [ "$lan" = no ] || note "$config is there and stays as it is; for the network set in it: host = \"0.0.0.0\""
  else
    say "Writing the configuration"
    settings | put "$config" 640 root:emotion-edge
  fi
  if [ ! -s "$token" ]; then
    say "Making the token that the page asks for"
    "$python" -I -c 'import secrets; print(secrets.token_urlsafe(32))' | put "$token" 600 root:root
  fi
}

# check_settings RELEASE: whether it takes the configuration
check_settings() {
  if [ "$dry_run" = no ] && ! "$1/bin/emotion-edge" config check --help >/dev/null 2>&1; then return 0; fi
  change env -i CREDENTIALS_DIRECTORY="${token%/*}" "$1/bin/emotion-edge" config check --config "$config" ||
    die "This release does not take $config. Correct it, then try again; nothing was switched."
}

# tell_addresses: where the page is, if the service has been started
tell_addresses() {
  if [ "$dry_run" = yes ] || [ "$start" = no ] || ! systemd_runs; then return 0; fi
  "$python" -I "$here/lib/addresses.py" "$config" "$token" "$(hostname -I 2>/dev/null)"
}
