#!/usr/bin/env bash
# Installs the clients that run.py uses, and Triton for comparison, into $INFER_CACHE: clients/, triton/.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${INFER_CACHE:-$HOME/.cache/libinfer}
missing=()
for package in prometheus libb64-0d python3-venv; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  echo "conformance: installing ${missing[*]}"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
# make NAME: makes a virtual environment with the packages of NAME-lock.txt. Uses Python 3.11, for which Triton's wheel is built.
make() {
  local folder=$cache/$1 lock=$here/$1-lock.txt
  local marker
  marker=complete-$(sha256sum "$lock" | cut -c1-12)
  [ ! -f "$folder/$marker" ] || return 0
  echo "conformance: installing $lock into $folder"
  rm -rf "$folder"
  /usr/bin/python3.11 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes -r "$lock"
  touch "$folder/$marker"
}
make clients
make triton
