# Where the program to install comes from: a wheelhouse, a folder of wheels, or the checkout. Sourced by install.sh.
# shellcheck shell=sh disable=SC2034,SC2154  # the settings are shared with the script and its other parts

# sets offline, wheels, wheel, version, models and checkout, or ends
find_program() {
  if [ -z "$wheelhouse" ] && [ -f "$here/TARGET" ]; then wheelhouse=$here; fi
  if [ -n "$wheelhouse" ]; then
    [ -d "$wheelhouse" ] || die "There is no folder $wheelhouse; expected what deploy/wheelhouse.sh has made."
    wheelhouse=$(cd "$wheelhouse" && pwd)
    offline=yes
    wheels=$wheelhouse/wheels
    [ -d "$wheels" ] || wheels=$wheelhouse
    models=$wheelhouse/models
    # nothing that the user has set for pip may lead it to a network
    unset PIP_FIND_LINKS
    export PIP_CONFIG_FILE=/dev/null PIP_NO_INDEX=1
  elif [ -d "$here/wheels" ]; then
    wheels=$here/wheels
  elif [ -f "$here/../pyproject.toml" ]; then
    checkout=$(cd "$here/.." && pwd)
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$checkout/edge/__init__.py")
    return
  else
    die "$here lies neither in a checkout nor beside a folder of wheels, so there is nothing to install." \
      "Start it from a checkout, or from a folder that deploy/wheelhouse.sh has made."
  fi
  set -- "$wheels"/emotion_edge-*.whl
  if [ $# != 1 ] || [ ! -f "$1" ]; then die "Expected one file emotion_edge-….whl in $wheels, found: $*"; fi
  wheel=$1
  version=${wheel##*/emotion_edge-}
  version=${version%%-*}
}

# check_target: whether the wheelhouse was made for this system
check_target() {
  if [ -z "$wheelhouse" ] || [ ! -f "$wheelhouse/TARGET" ]; then return 0; fi
  here_is="python=$("$python" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])') arch=$arch"
  made_for="$(sed -n '/^python=/p' "$wheelhouse/TARGET") $(sed -n '/^arch=/p' "$wheelhouse/TARGET")"
  [ "$made_for" = "$here_is" ] || die "$wheelhouse is for $made_for, and this system has $here_is." \
    "Make another on a machine with a network: sh deploy/wheelhouse.sh DIR --suite ${suite:-SUITE} --arch $arch"
}

# build_wheel: of the checkout, in a folder that is thrown away; sets wheel
build_wheel() {
  [ -n "$checkout" ] || return 0
  say "Building emotion-edge $version from $checkout"
  wheel=emotion_edge-$version-py3-none-any.whl
  if [ "$dry_run" = yes ]; then
    note "would build: $wheel"
    return
  fi
  work=$(mktemp -d)
  change "$python" -m venv "$work/tools" || die "$python could not make an environment."
  change "$work/tools/bin/python" -m pip wheel --quiet --no-deps --wheel-dir "$work" "$checkout" ||
    die "The wheel could not be built; pip says why above${offline_hint}."
  wheel=$work/$wheel
}
