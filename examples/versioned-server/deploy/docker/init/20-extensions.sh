#!/usr/bin/env bash
# Makes the extensions that the server uses, in a new database.
set -Eeuo pipefail

for extension in pg_trgm pg_stat_statements postgis vector; do
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
    --dbname "$POSTGRES_DB" --command "CREATE EXTENSION IF NOT EXISTS $extension"
done
