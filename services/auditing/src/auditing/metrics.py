"""What the log counts."""

from prometheus_client import Counter, Gauge

LEAVES = Counter("auditing_leaves_total", "Records that became leaves")
DUPLICATES = Counter("auditing_duplicates_total", "Records of events that had a leaf already")
CHECKPOINT_SIZE = Gauge("auditing_checkpoint_size", "Leaves covered by the newest checkpoint")
