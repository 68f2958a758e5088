#!/usr/bin/env bash
# clang-format over everything, clang-tidy over what the release build compiles without torch's headers (parsing those
# takes minutes). --fix formats in place and stops there.
set -euo pipefail
cd "$(dirname "$0")/.."
format=clang-format-16
if ! command -v $format >/dev/null; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $format >/dev/null
fi
mapfile -t files < <(git ls-files -co --exclude-standard '*.h' '*.cpp')
if [ "${1:-}" = --fix ]; then
  exec $format -i "${files[@]}"
fi
$format --dry-run --Werror "${files[@]}"
cmake -S . -B build/lint -G Ninja -DCMAKE_BUILD_TYPE=Debug -DINFER_TORCH=OFF -DINFER_TESTS=OFF >/dev/null
mapfile -t sources < <(git ls-files -co --exclude-standard 'src/*.cpp' 'adapters/*.cpp' | grep -v -e '^src/torch/')
scripts/tidy.py build/lint "${sources[@]}"
echo "lint: ${#files[@]} files formatted, ${#sources[@]} files checked"
