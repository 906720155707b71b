#!/bin/sh
# The official image has its programs below CARGO_HOME, where everybody may write.
# $1 is the root of the image that is being made.
set -eu
root=$1

mkdir -p "$root/usr/local/cargo/bin" "$root/usr/local/rustup"
for name in cargo rustc rustdoc; do
  ln -s "/usr/bin/$name" "$root/usr/local/cargo/bin/$name"
done
chmod -R a+w "$root/usr/local/cargo" "$root/usr/local/rustup"
