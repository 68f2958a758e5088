#!/bin/sh
# What doxygen reads of a file: doxygen_filter.sh FILE. No line moves, so that warnings name the right ones.
# Users write infer::Engine; the inline namespace v0 is only in the names that the linker sees. The symbols of a folder
# make a group, and each header has a page.
case $1 in
  *.h) ;;
  *) exec cat "$1" ;;
esac
group=$(basename "$(dirname "$1")")
closing='^}  // namespace infer::inline v0.*'
case $1 in
  */c.h) group=c closing='^}$' ;;
  */torch_interop.h) group=engine ;;
esac
exec sed -e 's|^#pragma once|/** \\file */ &|' -e "s|^namespace infer::inline v0\(.*\) {|namespace infer\1 { /** \\\\addtogroup $group */ /** @{ */|" \
  -e "s|$closing|/** @} */ }|" \
  -e "s|^extern \"C\" {|extern \"C\" { /** \\\\addtogroup $group */ /** @{ */|" \
  -e 's|^\( */// \)Errors:|\1<b>Errors:</b>|' -e 's|^ \* Errors:| * <b>Errors:</b>|' "$1"
