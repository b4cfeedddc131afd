#!/bin/bash
# One role and schema for each of $OWNERS, the services that own tables; runs once, when the database is made.
set -euo pipefail

for owner in $OWNERS; do
  psql --set ON_ERROR_STOP=1 --username postgres --dbname longitude \
    --set owner="$owner" --set password="$OWNERS_PASSWORD" <<'SQL'
CREATE ROLE :"owner" LOGIN PASSWORD :'password';
GRANT CONNECT, CREATE ON DATABASE longitude TO :"owner";
CREATE SCHEMA :"owner" AUTHORIZATION :"owner";
SQL
done
