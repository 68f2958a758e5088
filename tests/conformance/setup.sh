#!/usr/bin/env bash
# Installs the clients that run.py uses, and the server they are compared with, into $INFER_CACHE: clients/, triton/.
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
# make NAME MARKER PACKAGE...: a virtual environment of Python 3.11, which is what Triton's wheel is built for.
make() {
  local folder=$cache/$1 marker=$2
  shift 2
  [ ! -f "$folder/$marker" ] || return 0
  echo "conformance: installing $* into $folder"
  rm -rf "$folder"
  /usr/bin/python3.11 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
  touch "$folder/$marker"
}
make clients "complete-$(sha256sum "$here/requirements.txt" | cut -c1-12)" -r "$here/requirements.txt"
make triton complete-0.7.0 nvidia-pytriton==0.7.0 numpy==1.26.4 nvidia-cuda-runtime-cu12==12.9.79
