#!/usr/bin/env bash
# clang-format over everything, clang-tidy over what the release build compiles without torch's headers (parsing those
# takes minutes). --fix formats in place and stops there.
set -euo pipefail
cd "$(dirname "$0")/.."
version=16
missing=()
for tool in clang-format clang-tidy; do
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
mapfile -t sources < <(git ls-files -co --exclude-standard 'src/*.cpp' 'adapters/*.cpp' | grep -v -e '^src/torch/' -e decode_stb)
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 2 clang-tidy-$version -p build/lint --quiet --warnings-as-errors='*' 2> >(grep -v 'warnings generated\|Suppressed\|Use -header-filter' >&2)
echo "lint: ${#files[@]} files formatted, ${#sources[@]} files checked"
