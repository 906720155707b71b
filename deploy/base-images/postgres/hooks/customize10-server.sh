#!/bin/sh
# Folders, locale and defaults as the official image has them.
# $1 is the root of the image that is being made.
set -eu
root=$1

chroot "$root" localedef --no-archive -i en_US -f UTF-8 -A /usr/share/locale/locale.alias en_US.utf8
rm -rf "$root/usr/share/i18n"

# A key that was made here would be the same in every container.
rm -f "$root/etc/ssl/private/ssl-cert-snakeoil.key" "$root/etc/ssl/certs/ssl-cert-snakeoil.pem"
find "$root/etc/ssl/certs" -xtype l -delete

sed -i "s/^#listen_addresses = 'localhost'/listen_addresses = '*'/" \
  "$root/usr/share/postgresql/17/postgresql.conf.sample"
grep -q "^listen_addresses = '\*'" "$root/usr/share/postgresql/17/postgresql.conf.sample"

install -d -o 999 -g 999 -m 0755 "$root/var/lib/postgresql"
install -d -o 999 -g 999 -m 1777 "$root/var/lib/postgresql/data"
install -d -m 0755 "$root/docker-entrypoint-initdb.d"
