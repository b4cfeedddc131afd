"""What ingestion counts. Labels are codes of HL7 tables and DICOM status, never anything a sender made up."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter(
    "ingestion_messages_total",
    "Frames answered, by message code (MSH-9.1 of a known type, else `other`) and acknowledgement code",
    ["message_code", "acknowledgement"],
)
FACTS = Counter("ingestion_facts_total", "Facts published, by kind", ["kind"])
REMARKS = Counter(
    "ingestion_remarks_total",
    "What was not understood, by place (`OBX-5`: segment of HL7 and field, no occurrence) and reason",
    ["place", "reason"],
)
REREAD = Counter("ingestion_reread_total", "Messages read again, by outcome (taken, refused)", ["outcome"])
INSTANCES = Counter("ingestion_instances_total", "DICOM instances answered, by status", ["status"])
IN_FLIGHT = Gauge("ingestion_in_flight", "Frames read and not yet answered")
INSIDE = Gauge("ingestion_connections", "Open connections and associations", ["door"])
CLOSED = Counter("ingestion_closed_total", "Connections closed for the sake of others, by reason", ["door", "reason"])
TURNED_AWAY = Counter("ingestion_turned_away_total", "Connections that found no room, by reason", ["door", "reason"])
ACKNOWLEDGE_SECONDS = Histogram(
    "ingestion_acknowledge_seconds",
    "From the last byte of a frame to its answer",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60),
)
