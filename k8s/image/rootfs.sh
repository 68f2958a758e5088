#!/usr/bin/env bash
# Creates a container's root file system: rootfs.sh PROGRAM ROOT. It contains the stripped program, every library that it loads, a
# shell, certificates, the licences of all these, and an unprivileged user.
set -euo pipefail
program=$1 root=$2
cd "$(dirname "$0")/../.."
mkdir -p "$root"/{bin,etc/ssl/certs,models,proc,sys,dev,usr/bin,usr/lib/infer,usr/share/licenses}
install -d -m 1777 "$root/tmp"

# Prints the package that owns a file. Packages may list the path from before /lib became a link to /usr/lib.
owner() { { dpkg-query -S "$1" || dpkg-query -S "${1#/usr}"; } 2>/dev/null | cut -d: -f1; }

# Names libraries as the loader requests them. The distribution's libraries go where the loader looks first.
packages=(busybox-static ca-certificates)
torch=${INFER_CACHE:-$HOME/.cache/libinfer}/torch/torch/lib
while read -r name path; do
  file=$(readlink -f "$path")
  case $path in
    "$torch"/*) target=$root/usr/lib/infer/$name ;;
    *)
      target=$root/${path#/}
      packages+=("$(owner "$file")")
      ;;
  esac
  mkdir -p "$(dirname "$target")"
  strip --strip-unneeded -o "$target" "$file" 2>/dev/null || cp "$file" "$target"
done < <(LD_LIBRARY_PATH=$torch ldd "$program" | awk '$2 == "=>" {print $1, $3} $1 ~ "^/" {print $1, $1}')
# GPU libraries are loaded by name when a GPU is used, so the program does not list them.
if [ -e "$torch/libtorch_cuda.so" ]; then
  find "${torch%/torch/lib}" -name 'lib*.so*' \( -path '*/nvidia/*' -o -path '*/torch/lib/*' \) -exec cp -n -t "$root/usr/lib/infer" {} +
fi
strip -o "$root/usr/bin/infer" "$program"
chmod 755 "$root/usr/bin/infer"

cp /bin/busybox "$root/bin/busybox"
for applet in sh ls cat; do ln -s busybox "$root/bin/$applet"; done
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo "infer:x:65532:65532::/tmp:/bin/sh" >"$root/etc/passwd"
echo "infer:x:65532:" >"$root/etc/group"

cp LICENSE NOTICE "$root/usr/share/licenses/"
cp -r "${torch%/torch/lib}"/torch-*.dist-info/licenses "$root/usr/share/licenses/libtorch"
mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
for package in "${packages[@]}"; do
  cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/licenses/$package"
done
