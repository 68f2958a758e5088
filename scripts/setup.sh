#!/usr/bin/env bash
# Installs what the build needs. Can be run again: keeps what is already installed.
#   scripts/setup.sh [--cuda] [--core] [--build] [--tests] [--guard] [--docs]
# --core installs only what the core without LibTorch needs. --build installs only what the program needs, without photographs and
# texts. --cuda keeps LibTorch's GPU libraries. --tests adds the browser for the page tests, the fuzzing compiler, the proxies for
# the request smuggling tests, doxygen, and texts of many languages with a reference tokenizer. --guard adds valgrind, which
# counts instructions. --docs installs only doxygen, in the version for which docs/Doxyfile is free of warnings.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export INFER_CACHE=${INFER_CACHE:-$HOME/.cache/libinfer}
mkdir -p "$INFER_CACHE"

cuda=
core=
build=
tests=
guard=
docs=
for argument in "$@"; do
  case $argument in
    --cuda) cuda=--cuda ;;
    --core) core=yes ;;
    --build) build=yes ;;
    --tests) tests=yes ;;
    --guard) guard=yes ;;
    --docs) docs=yes ;;
    *) echo "setup: unknown argument '$argument'; known: --cuda --core --build --tests --guard --docs" >&2; exit 2 ;;
  esac
done

if [ -n "$docs" ] && [ $# -gt 1 ]; then
  echo "setup: --docs installs only doxygen and cannot be combined with another argument" >&2
  exit 2
fi
packages=(g++ make cmake ninja-build python3 libgtest-dev)
if [ -z "$core" ]; then
  packages+=(ccache python3-pip python3-venv dpkg-dev curl ca-certificates patch
             libsimdjson-dev libssl-dev libutf8proc-dev pkg-config libjpeg62-turbo-dev libpng-dev zlib1g-dev libcli11-dev libbenchmark-dev)
fi
[ -z "$tests" ] || packages+=(chromium chromium-driver faketime fonts-dejavu-core nginx-light haproxy clang-16 libclang-rt-16-dev doxygen
                        iso-codes manpages-de manpages-fr manpages-ja manpages-zh manpages-ru)
[ -z "$guard" ] || packages+=(valgrind)
[ -z "$docs" ] || packages=(doxygen)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  if ! command -v apt-get >/dev/null || { [ -n "$sudo" ] && ! command -v sudo >/dev/null; }; then
    echo "setup: please install these packages: ${missing[*]}" >&2
    exit 1
  fi
  echo "setup: installing ${missing[*]}"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ -n "$docs" ]; then
  [[ $(doxygen --version) = 1.9.4* ]] && exit 0
  echo "setup: doxygen $(doxygen --version) is installed; docs/Doxyfile needs 1.9.4, the version of Debian 12" >&2
  exit 1
fi
[ -z "$core" ] || exit 0

"$here/fetch_sources.sh"
if ! python3 -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)' && [ -z "${CMAKE_PREFIX_PATH:-}" ]; then
  python3 "$here/fetch_torch.py" $cuda
fi
[ -z "$build" ] || exit 0
python3 "$here/fetch_photos.py"
python3 "$here/fetch_data.py" ${tests:+--tests}
