#!/bin/sh
# A configuration file is served; any other word is a command of the registry, or a program.
set -eu

case ${1-} in
  *.yaml | *.yml) set -- registry serve "$@" ;;
  serve | garbage-collect | help | -*) set -- registry "$@" ;;
esac
exec "$@"
