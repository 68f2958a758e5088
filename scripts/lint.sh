#!/usr/bin/env bash
# Runs clang-format on all files, and clang-tidy on the sources that compile without torch's headers (parsing those takes
# minutes). --fix only formats the files in place.
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
