#!/bin/sh
# Before the server's package is there: its user with the official number, which volumes carry.
# $1 is the root of the image that is being made.
set -eu
root=$1

echo 'redis:x:999:' >> "$root/etc/group"
echo 'redis:x:999:999::/var/lib/redis:/usr/sbin/nologin' >> "$root/etc/passwd"
echo 'redis:*:19000::::::' >> "$root/etc/shadow"
