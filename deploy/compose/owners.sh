#!/bin/bash
# For each of $OWNERS, the services that own tables: a schema, the role that owns it and migrates, and the role that the
# service connects as, which owns nothing and has no password (pg_hba.conf). Runs once, when the database is made.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --username postgres --dbname longitude --command 'REVOKE ALL ON DATABASE longitude FROM PUBLIC'
for owner in $OWNERS; do
  psql --set ON_ERROR_STOP=1 --username postgres --dbname longitude \
    --set owner="$owner" --set password="$OWNERS_PASSWORD" --set service="${owner}_service" <<'SQL'
CREATE ROLE :"owner" LOGIN PASSWORD :'password';
GRANT CONNECT, CREATE ON DATABASE longitude TO :"owner";
CREATE SCHEMA :"owner" AUTHORIZATION :"owner";
CREATE ROLE :"service" LOGIN;
GRANT CONNECT ON DATABASE longitude TO :"service";
SQL
done
