#!/bin/sh
# Before the server's package is there: its user with the official number (volumes carry it), and
# no cluster of Debian's own, for the entrypoint makes the only one.
# $1 is the root of the image that is being made.
set -eu
root=$1

echo 'postgres:x:999:' >> "$root/etc/group"
echo 'postgres:x:999:999::/var/lib/postgresql:/bin/bash' >> "$root/etc/passwd"
echo 'postgres:*:19000::::::' >> "$root/etc/shadow"

mkdir -p "$root/etc/postgresql-common"
echo 'create_main_cluster = false' > "$root/etc/postgresql-common/createcluster.conf"
