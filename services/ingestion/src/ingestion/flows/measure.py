"""What share of a folder of messages becomes facts, and how fast: `python -m ingestion.flows.measure PATH...`.

Reads files or folders (`*.hl7`, batches included) through the parser and the normaliser, in process, and prints one
line for each message that is refused and a table at the end. Nothing is sent or stored.
"""
# ruff: noqa: T201 - a command that prints

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.batch import split_batch
from ingestion.domain.reading import Feed, Reading, read
from ingestion.domain.refusal import RefusedError


@dataclass(slots=True)
class Tally:
    """Counts over all messages."""

    messages: int = 0
    refused: int = 0
    # Messages with any fact, and with one beside birth date and sex.
    with_facts: int = 0
    with_clinical_facts: int = 0
    facts: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    links: int = 0
    remarks: int = 0
    seconds: float = 0.0

    def add(self, reading: Reading) -> None:
        """Count what one message said."""
        kinds = [pb.FactKind.Name(fact.kind).removeprefix("FACT_KIND_").lower() for fact in reading.content.facts]
        self.facts.update(kinds)
        self.with_facts += bool(kinds)
        self.with_clinical_facts += any(kind != "demographic" for kind in kinds)
        self.documents += len(reading.content.documents)
        self.links += len(reading.content.links)
        self.remarks += len(reading.remarks)


def main(arguments: Sequence[str]) -> int:
    """0 when every message was read or refused with a reason, 2 without arguments."""
    if not arguments:
        print(__doc__)
        return 2
    tally = Tally()
    began = time.perf_counter()
    for name, message in _messages(arguments):
        tally.messages += 1
        try:
            tally.add(read(message, datetime.now(UTC), Feed()))
        except RefusedError as refusal:
            tally.refused += 1
            print(f"refused  {name}: {refusal.condition} at {refusal.location or '-'}: {refusal.text}")
    tally.seconds = time.perf_counter() - began
    _show(tally)
    return 0


def _messages(arguments: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for path in map(Path, arguments):
        for file in sorted(path.rglob("*.hl7")) if path.is_dir() else [path]:
            yield from ((file.name, message) for message in split_batch(file.read_bytes()))


def _show(tally: Tally) -> None:
    share = 100 / max(tally.messages, 1)
    print(f"messages                   {tally.messages}")
    print(f"refused with a reason      {tally.refused}")
    print(f"with facts                 {tally.with_facts}  ({tally.with_facts * share:.0f} %)")
    print(f"with clinical facts        {tally.with_clinical_facts}  ({tally.with_clinical_facts * share:.0f} %)")
    print(f"facts                      {tally.facts.total()}  {dict(tally.facts.most_common())}")
    print(f"documents, identity links  {tally.documents}, {tally.links}")
    print(f"remarks                    {tally.remarks}")
    print(f"messages/s in process      {tally.messages / max(tally.seconds, 1e-9):.0f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
