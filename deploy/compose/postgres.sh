#!/bin/bash
# PostgreSQL by TLS alone. Its key must be its own, and the certificates here are of the containers' user: they are copied.
# After a renewal: `docker compose exec postgres /postgres.sh renew`, which ends no connection.
set -euo pipefail

own=/var/run/postgresql/tls
install -d -o postgres -g postgres -m 0700 "$own"
install -o postgres -g postgres -m 0600 -t "$own" /etc/longitude/tls/postgres.pem /etc/longitude/tls/postgres.key \
  /etc/longitude/tls/authority.pem
if [ "${1:-}" = renew ]; then
  exec gosu postgres psql --username postgres --command 'SELECT pg_reload_conf()'
fi
exec docker-entrypoint.sh postgres -c hba_file=/etc/longitude/pg_hba.conf -c ident_file=/etc/longitude/pg_ident.conf \
  -c ssl=on -c ssl_ca_file="$own/authority.pem" -c ssl_cert_file="$own/postgres.pem" -c ssl_key_file="$own/postgres.key"
