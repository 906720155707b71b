#!/usr/bin/env bash
# Makes a database cluster where there is none, runs the user's init scripts once, then becomes
# the server. It follows the documented contract of the official image, so that a Dockerfile or a
# compose file for that one works unchanged with this one.
set -Eeuo pipefail

readonly init_dir=/docker-entrypoint-initdb.d

die() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

# Sets $1 from the file that $1_FILE names, or to the default $2 where neither is given.
from_file() {
  local name=$1 file_name="$1_FILE" default=${2-}
  if [[ -n ${!name-} && -n ${!file_name-} ]]; then
    die "$name and $file_name are both set, and only one of them can be meant"
  fi
  if [[ -n ${!file_name-} ]]; then
    [[ -r ${!file_name} ]] || die "$file_name names ${!file_name}, which cannot be read"
    export "$name=$(< "${!file_name}")"
  else
    export "$name=${!name-$default}"
  fi
  unset "$file_name"
}

# As root: gives the folders to the server's user, and starts over as that user.
step_down() {
  mkdir -p "$PGDATA"
  chmod 0700 "$PGDATA"
  find "$PGDATA" \! -user postgres -exec chown postgres:postgres {} +
  mkdir -p /var/run/postgresql
  chown postgres:postgres /var/run/postgresql
  chmod 3777 /var/run/postgresql
  if [[ -n ${POSTGRES_INITDB_WALDIR-} ]]; then
    mkdir -p "$POSTGRES_INITDB_WALDIR"
    chown -R postgres:postgres "$POSTGRES_INITDB_WALDIR"
    chmod 0700 "$POSTGRES_INITDB_WALDIR"
  fi
  exec setpriv --reuid=postgres --regid=postgres --init-groups "${BASH_SOURCE[0]}" "$@"
}

read_settings() {
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_USER postgres
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS
  : "${POSTGRES_HOST_AUTH_METHOD:=}"
}

check_settings() {
  if [[ -z $POSTGRES_PASSWORD && $POSTGRES_HOST_AUTH_METHOD != trust ]]; then
    die "the database is new and has no superuser password: set POSTGRES_PASSWORD, or
       POSTGRES_PASSWORD_FILE, to a non-empty value
       (POSTGRES_HOST_AUTH_METHOD=trust lets everyone in without one)"
  fi
  if [[ $POSTGRES_HOST_AUTH_METHOD == trust ]]; then
    echo 'warning: POSTGRES_HOST_AUTH_METHOD=trust lets everyone in without a password' >&2
  fi
}

make_cluster() {
  local arguments=() waldir=()
  # The words of the variable are arguments of initdb, quoted as for a shell.
  [[ -z $POSTGRES_INITDB_ARGS ]] || eval "arguments=($POSTGRES_INITDB_ARGS)"
  [[ -z ${POSTGRES_INITDB_WALDIR-} ]] || waldir=("--waldir=$POSTGRES_INITDB_WALDIR")
  initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" \
    --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
    ${waldir[@]+"${waldir[@]}"} ${arguments[@]+"${arguments[@]}"}
  printf '\nhost all all all %s\n' \
    "${POSTGRES_HOST_AUTH_METHOD:-$(postgres -D "$PGDATA" -C password_encryption)}" \
    >> "$PGDATA/pg_hba.conf"
}

# Runs SQL from standard input, or psql with the given arguments, as the superuser in the new
# database. Init scripts that are sourced use this function by this name.
docker_process_sql() {
  local database=()
  [[ -z $POSTGRES_DB ]] || database=(--dbname "$POSTGRES_DB")
  PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password \
    --no-psqlrc "${database[@]}" "$@"
}

# The first server answers on its socket only: nobody outside sees a half-made database.
start_private_server() {
  [[ ${1-} != postgres ]] || shift
  NOTIFY_SOCKET='' pg_ctl -D "$PGDATA" -w start \
    -o "$(printf '%q ' "$@" -c "listen_addresses=" -p "${PGPORT:-5432}")"
}

make_database() {
  local name=$POSTGRES_DB
  [[ $name != postgres ]] || return 0
  POSTGRES_DB=postgres docker_process_sql --set db="$name" <<< 'CREATE DATABASE :"db";'
}

run_init_files() {
  local file
  for file in "$init_dir"/*; do
    case $file in
      *.sh)
        echo "init: running $file"
        # A script without the executable bit is sourced, so that it sees this one's functions.
        # shellcheck disable=SC1090  # the user's own file
        if [[ -x $file ]]; then "$file"; else . "$file"; fi
        ;;
      *.sql) echo "init: running $file"; docker_process_sql --file "$file" ;;
      *.sql.gz) echo "init: running $file"; gunzip --stdout "$file" | docker_process_sql ;;
      *.sql.xz) echo "init: running $file"; xzcat "$file" | docker_process_sql ;;
      *.sql.zst) echo "init: running $file"; zstd --decompress --stdout "$file" | docker_process_sql ;;
      "$init_dir/*") ;;
      *) echo "init: leaving out $file, neither *.sh nor *.sql[.gz|.xz|.zst]" ;;
    esac
  done
}

initialise() {
  read_settings
  check_settings
  # Seen before the minutes of work that would be for nothing.
  ls "$init_dir/" > /dev/null
  make_cluster
  export PGPASSWORD="${PGPASSWORD:-$POSTGRES_PASSWORD}"
  start_private_server "$@"
  make_database
  run_init_files
  NOTIFY_SOCKET='' pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  echo 'init: done, the database is ready for use'
}

only_tells() {
  local word
  for word; do
    case $word in
      -'?' | --help | --describe-config | -V | --version) return 0 ;;
    esac
  done
  return 1
}

main() {
  [[ ${1-} != -* ]] || set -- postgres "$@"
  if [[ ${1-} == postgres ]] && ! only_tells "$@"; then
    [[ $(id -u) != 0 ]] || step_down "$@"
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA" || true
    if [[ -s $PGDATA/PG_VERSION ]]; then
      echo 'the data folder has a database already: nothing to initialise'
    else
      initialise "$@"
    fi
  fi
  exec "$@"
}

main "$@"
