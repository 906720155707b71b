#!/bin/sh
# Flags and configuration files are the server's. It runs as its own user, on a folder of its own.
set -eu

case ${1-} in
  -* | *.conf) set -- redis-server "$@" ;;
esac

# The official server is built with protected mode off, for in a container everybody comes from
# outside. Debian's has it on: it is turned off here unless somebody says what it is to be.
tells_of_protection() {
  for word; do
    case $word in
      --protected-mode*) return 0 ;;
      *.conf) ! grep -q '^ *protected-mode' "$word" 2>/dev/null || return 0 ;;
    esac
  done
  return 1
}

if [ "${1-}" = redis-server ]; then
  tells_of_protection "$@" || set -- "$@" --protected-mode no
  # What it writes is its own business, unless somebody chose a mask.
  [ "$(umask)" != 0022 ] || umask 0077
  if [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis:redis {} +
    exec setpriv --reuid=redis --regid=redis --clear-groups "$@"
  fi
fi
exec "$@"
