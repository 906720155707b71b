#!/bin/sh
# Becomes the Redis server, with the password in a configuration file that is in memory: everybody on
# the machine can read a command line. The file has its hash alone, so any character may be in it.
set -eu

: "${REDIS_PASSWORD:?is not set}"
hash=$(printf '%s' "$REDIS_PASSWORD" | sha256sum | cut -c 1-64)
umask 077
cat > /tmp/redis.conf << CONF
dir /data
appendonly yes
user default on #$hash ~* &* +@all
CONF
exec redis-server /tmp/redis.conf
