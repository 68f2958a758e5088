#!/bin/sh
# Makes a model, embeds a photo with the example, and checks what it printed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" model create clip-vit-b-32 --seed 1 --out "$work/clip" >/dev/null
out=$("$2" "$work/clip" "$3")
echo "$out"
case $out in "512 numbers, the first is "*) ;; *) exit 1 ;; esac
