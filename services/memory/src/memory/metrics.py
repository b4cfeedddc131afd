"""What operators watch of this service beside what every service has."""

from prometheus_client import Counter, Gauge

PENDING = Gauge("memory_index_pending", "Points that the vector index does not have yet", ["collection"])
INDEXED = Counter("memory_indexed_points_total", "Points written to the vector index", ["collection"])
POSTPONED = Counter("memory_postponed_points_total", "Points that were refused and are tried again later")
