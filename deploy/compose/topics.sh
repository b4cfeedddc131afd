#!/bin/bash
# Makes every topic of topics.yaml, and a dead-letter topic for each of its consumers. Reads the file's one-line form:
#   - {name: N, partitions: P, retention_ms: R, consumers: [a, b]}
set -euo pipefail

value() { sed -n "s/.*[{ ]$2: \[\{0,1\}\([^],}]*\).*/\1/p" <<<"$1"; }

make() {
  "${KAFKA_TOPICS:-/opt/kafka/bin/kafka-topics.sh}" --bootstrap-server "$BOOTSTRAP" --create --if-not-exists \
    --topic "$1" --partitions "$2" --replication-factor 1 --config "retention.ms=$3" --config max.message.bytes=4194304 </dev/null
}

dead=$(grep '^dead_letters:' "$1")
grep '^  - {name:' "$1" | while read -r line; do
  topic=$(value "$line" name)
  make "$topic" "$(value "$line" partitions)" "$(value "$line" retention_ms)"
  consumers=$(sed -n 's/.*consumers: \[\([^]]*\)\].*/\1/p' <<<"$line")
  for consumer in ${consumers//,/ }; do
    make "dlq.$consumer.$topic" "$(value "$dead" partitions)" "$(value "$dead" retention_ms)"
  done
done
