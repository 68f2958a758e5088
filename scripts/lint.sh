#!/usr/bin/env bash
# clang-format over everything, clang-tidy over what the release build compiles without torch's headers (parsing those
# takes minutes). --fix formats in place and stops there.
set -euo pipefail
cd "$(dirname "$0")/.."
version=16
missing=()
for tool in clang-format clang-tidy clang; do
  command -v $tool-$version >/dev/null || missing+=($tool-$version)
done
if [ ${#missing[@]} -gt 0 ]; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
mapfile -t files < <(git ls-files -co --exclude-standard '*.h' '*.cpp')
if [ "${1:-}" = --fix ]; then
  exec clang-format-$version -i "${files[@]}"
fi
clang-format-$version --dry-run --Werror "${files[@]}"
cmake -S . -B build/lint -G Ninja -DCMAKE_BUILD_TYPE=Debug -DINFER_TORCH=OFF -DINFER_TESTS=OFF >/dev/null
mapfile -t sources < <(git ls-files -co --exclude-standard 'src/*.cpp' 'adapters/*.cpp' | grep -v -e '^src/torch/')
scripts/tidy.py build/lint $version "${sources[@]}"
echo "lint: ${#files[@]} files formatted, ${#sources[@]} files checked"
