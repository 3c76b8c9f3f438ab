# shellcheck shell=bash
# Shared by the scripts beside it (sourced, not run): where the tree is, how to say things, and how
# to have a build folder ready.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() { printf '==> %s\n' "$*"; }

# One line that tells what failed, why, and what to do about it.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# configure FOLDER [MESON OPTION]...: has a build folder made with just these options.
configure() {
  local folder=$1
  shift
  if [ -f "$folder/build.ninja" ] && [ "$(cat "$folder/options" 2> /dev/null)" = "$*" ]; then
    return
  fi
  say "configuring $folder"
  rm -rf "$folder" && mkdir -p "$folder"
  meson setup "$folder" "$root" "$@" > "$folder/setup.log" 2>&1 ||
    { tail -n 20 "$folder/setup.log" >&2; fail "meson could not configure $folder: see above"; }
  echo "$*" > "$folder/options"
}

# compile FOLDER [TARGET]...
compile() {
  local folder=$1
  shift
  say "building $folder"
  ninja -C "$folder" "$@" || fail "the build in $folder failed: see above"
}
