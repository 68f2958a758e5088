#!/usr/bin/env bash
# Puts two header-only libraries into $INFER_CACHE: cpp-httplib (Debian 12's 0.11 lacks limits that the server relies on) and
# stb_image_write. Both are source packages of Debian 13, with its security patches, from the mirror that this machine already
# uses.
set -euo pipefail
cache=${INFER_CACHE:-$HOME/.cache/libinfer}
wanted=()
[ -f "$cache/httplib/httplib.h" ] || wanted+=(cpp-httplib)
[ -f "$cache/stb/stb/stb_image_write.h" ] || wanted+=(libstb)
[ ${#wanted[@]} -gt 0 ] || exit 0
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null | grep -v security | head -n 1)
if [ -z "$mirror" ]; then
  echo "setup: no Debian mirror found; put httplib.h (0.18 or 0.19) into $cache/httplib/ and stb_image_write.h into $cache/stb/stb/" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/sources" "$work/src"
cat > "$work/sources/trixie.sources" <<SOURCES
Types: deb-src
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
apt=(apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources" -o Dir::State::Lists="$work/lists"
     -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root)
echo "setup: fetching ${wanted[*]}"
"${apt[@]}" update
(cd "$work/src" && "${apt[@]}" source "${wanted[@]}" >/dev/null 2>&1)
place() {  # arguments: a folder in the cache, then the files to copy there
  local target=$cache/$1
  shift
  rm -rf "$target.new" && mkdir -p "$target.new"
  cp "$@" "$target.new/"
  rm -rf "$target" && mkdir -p "$(dirname "$target")" && mv "$target.new" "$target"
}
for package in "${wanted[@]}"; do
  case $package in
    cpp-httplib) place httplib "$work"/src/cpp-httplib-*/{httplib.h,LICENSE} ;;
    libstb) place stb/stb "$work"/src/libstb-*/{stb_image_write.h,LICENSE} ;;
  esac
done
