#!/bin/sh
# The official image has its interpreter in /usr/local/bin and lets pip install beside it.
# $1 is the root of the image that is being made.
set -eu
root=$1

for name in python python3 python3.13; do
  ln -sf /usr/bin/python3.13 "$root/usr/local/bin/$name"
done
for name in pip pip3 pip3.13; do
  ln -sf /usr/bin/pip3 "$root/usr/local/bin/$name"
done
ln -sf /usr/bin/pydoc3.13 "$root/usr/local/bin/pydoc3"

# Debian refuses `pip install` outside of a virtual environment; in a container of one program
# that protects nothing, and Dockerfiles written for the official image rely on it.
rm -f "$root/usr/lib/python3.13/EXTERNALLY-MANAGED"

# What pip installs is found under the official path as well: Dockerfiles copy it between stages.
mkdir -p "$root/usr/local/lib/python3.13/dist-packages"
ln -sfn dist-packages "$root/usr/local/lib/python3.13/site-packages"
