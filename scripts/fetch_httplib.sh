#!/usr/bin/env bash
# Puts the header-only cpp-httplib into $INFER_CACHE/httplib: Debian 13's source package, with its security patches,
# from the mirror that this machine already uses. (Debian 12's own 0.11 lacks bounds that the server relies on.)
set -euo pipefail
cache=${INFER_CACHE:-$HOME/.cache/libinfer}
[ -f "$cache/httplib/httplib.h" ] && exit 0
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null | grep -v security | head -n 1)
if [ -z "$mirror" ]; then
  echo "setup: no Debian mirror found: put httplib.h (cpp-httplib 0.18 or newer) into $cache/httplib/" >&2
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
echo "setup: fetching cpp-httplib"
"${apt[@]}" update
(cd "$work/src" && "${apt[@]}" source cpp-httplib >/dev/null 2>&1)
mkdir -p "$cache/httplib.new"
cp "$work"/src/cpp-httplib-*/httplib.h "$work"/src/cpp-httplib-*/LICENSE "$cache/httplib.new/"
rm -rf "$cache/httplib"
mv "$cache/httplib.new" "$cache/httplib"
