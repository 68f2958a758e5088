#!/usr/bin/env bash
# Installs the servers and the load generator for the benchmarks into $INFER_CACHE: peers/ (FastAPI, LitServe, torch,
# sentence-transformers), mlserver/ and triton/.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${INFER_CACHE:-$HOME/.cache/libinfer}
missing=()
for package in hey curl wrk python3-venv; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
# Uses Python 3.11, for which Triton's backend is built, because the backend imports the peers' torch.
if ! "$cache/peers/bin/python" -c 'import fastapi, litserve, sentence_transformers' 2>/dev/null; then
  echo "bench: installing the peers into $cache/peers"
  /usr/bin/python3.11 -m venv "$cache/peers"
  "$cache/peers/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes -r "$here/peers-lock.txt"
fi
# MLServer requires older packages than the other peers, but works with their torch.
if ! "$cache/mlserver/bin/python" -c 'import mlserver, torch' 2>/dev/null; then
  echo "bench: installing MLServer into $cache/mlserver"
  /usr/bin/python3.11 -m venv "$cache/mlserver"
  "$cache/mlserver/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes -r "$here/mlserver-lock.txt"
  echo "$cache/peers/lib/python3.11/site-packages" > "$cache/mlserver/lib/python3.11/site-packages/torch_of_the_peers.pth"
fi
"$here/../../tests/conformance/setup.sh"
