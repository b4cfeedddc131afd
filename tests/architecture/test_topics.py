"""What brokers are told about topics, told in several places, is told the same in all of them."""

import re
from pathlib import Path

from client import kafka
from eventbus import producer
from native_stack import topics

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("deploy/compose", "helm/longitude/templates")


def test_the_largest_record_is_the_same_for_the_bus_its_readers_and_every_broker() -> None:
    told = [
        int(found)
        for folder in FOLDERS
        for path in sorted((ROOT / folder).iterdir())
        if path.is_file()
        for found in re.findall(r"max\.message\.bytes[=:] ?(\d+)", path.read_text(encoding="utf-8"))
    ]
    # One in compose, and two in the chart: with an operator, and with a job.
    assert told == [producer.MAX_RECORD_BYTES] * 3
    assert topics.MAX_RECORD_BYTES == kafka.MAX_RECORD_BYTES == producer.MAX_RECORD_BYTES
