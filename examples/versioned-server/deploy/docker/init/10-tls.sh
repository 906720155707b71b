#!/usr/bin/env bash
# Gives a new database a key of its own, and TLS with it. Clients with sslmode=require encrypt by it;
# those that verify need a certificate of an authority that they know: put yours over both files in
# the data folder, and reload.
# With DATABASE_REQUIRE_TLS=on nobody gets in over the network without TLS.
set -Eeuo pipefail

umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
  -subj /CN=db \
  -keyout "$PGDATA/server.key" -out "$PGDATA/server.crt" 2> /dev/null
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" << 'SQL'
ALTER SYSTEM SET ssl = on;
ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.3';
SQL
if [[ ${DATABASE_REQUIRE_TLS:-off} == on ]]; then
  # The entrypoint's own line lets every address in, encrypted or not.
  sed -i -E 's/^host([[:space:]]+all[[:space:]]+all[[:space:]]+all[[:space:]])/hostssl\1/' \
    "$PGDATA/pg_hba.conf"
  grep -q '^hostssl' "$PGDATA/pg_hba.conf"
fi
