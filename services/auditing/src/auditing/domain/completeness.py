"""Whether every record of Kafka is in the log: what was recorded against what the broker holds."""

from __future__ import annotations

from collections.abc import Mapping

from longitude.auditing.v1.auditing_service_pb2 import PartitionCount

from auditing.domain.sequencing import Partition, Position


def partition_counts(positions: Mapping[Partition, Position], ends: Mapping[Partition, int]) -> list[PartitionCount]:
    """One line per partition known to the log or to the broker. A topic that the broker lost ends at 0."""
    return [
        _count(partition, positions.get(partition, Position()), ends.get(partition, 0))
        for partition in sorted(positions.keys() | ends.keys())
    ]


def _count(partition: Partition, position: Position, end: int) -> PartitionCount:
    topic, number = partition
    return PartitionCount(
        topic=topic,
        partition=number,
        recorded_to=position.next_offset,
        end_offset=end,
        duplicates=position.duplicates,
        missing=position.missing,
    )
