#!/usr/bin/env bash
# Makes the extensions of a new database: the backend finds reminders by words that are misspelt
# (pg_trgm) or have their accents elsewhere (unaccent). The tables are made by its migrations.
set -Eeuo pipefail

for extension in pg_trgm unaccent; do
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
    --dbname "$POSTGRES_DB" --command "CREATE EXTENSION IF NOT EXISTS $extension"
done
