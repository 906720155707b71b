# shellcheck shell=bash
# What quickstart and test share, after setup; sourced from the top folder of the repository.

# Programs that setup built are found like those of the system, after them.
export PATH="$PWD/.venv/bin:$PATH:${XDG_CACHE_HOME:-$HOME/.cache}/hullwright/bin"
