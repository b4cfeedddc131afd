"""What stands of a document after all that MDM messages said of it: read by ingestion, replayed by memory.

Events, statuses and the document header are those of HL7 v2.5.1 chapter 9 (tables 0003, 0271, 0273).
"""

import base64
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from consult import times
from ingestion.domain.reading import Feed, read
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_DOCUMENT,
    FACT_KIND_PROBLEM,
    ClinicalFact,
    FactStatus,
    Identity,
    SourcePointer,
)
from memory.domain.timeline import StatedFact, replay, standing

DAY = datetime(2026, 3, 1, 8, tzinfo=UTC)
Said = tuple[str, str, tuple[str, ...]]
PDF = base64.b64encode(b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF").decode()


def txa(number: str, parent: str = "", completion: str = "AU", availability: str = "", time: str = "20260301") -> str:
    return f"TXA|1|DS|TX|{time}||||||||{number}|{parent}||||{completion}||{availability}"


def text(words: str, status: str = "F") -> str:
    return f"OBX|1|TX|18842-5^Summary^LN||{words}||||||{status}"


def file(status: str = "F") -> str:
    return f"OBX|2|ED|PDF^Scan^L||^application^pdf^Base64^{PDF}||||||{status}"


def said(trigger: str, header: str, *content: str) -> Said:
    return trigger, header, content


def stated(position: int, message: Said) -> list[StatedFact]:
    """The facts of the message number `position`, each of an hour of its own."""
    trigger, header, content = message
    at = DAY + timedelta(hours=position)
    lines = [
        f"MSH|^~\\&|DOC|NORTH|||{at:%Y%m%d%H%M%S}||MDM^{trigger}|{position}|P|2.5.1",
        "PID|1||P1^^^NORTH^MR||Testperson^Ada",
        "PV1|1|O",
        header,
        *content,
    ]
    found = read("\r".join(lines).encode(), at, Feed()).content.facts
    documents = [fact for fact in found if fact.kind == FACT_KIND_DOCUMENT]
    return [StatedFact(fact, times.moment(fact, "stated_at") or at, at, n, at) for n, fact in enumerate(documents)]


def stands(facts: list[StatedFact]) -> list[str]:
    """Each document that stands: message, segment and status."""
    sources = [(entry.fact.source, entry.fact.status) for entry in standing(replay(facts))]
    return sorted(
        f"{source.control_id} {source.segment} {FactStatus.Name(status).removeprefix('FACT_STATUS_')}"
        for source, status in sources
    )


FIRST = said("T02", txa("D1"), text("Insulin 10 units."))
BOTH = said("T02", txa("D1"), text("Insulin 10 units."), file())
TABLE = {
    "a text and its scan are two parts": ([BOTH], ["0 OBX[1] FINAL", "0 OBX[2] FINAL"]),
    "two files": ([said("T02", txa("D1"), file(), file())], ["0 OBX[1] FINAL", "0 OBX[2] FINAL"]),
    "an edit replaces every part": ([BOTH, said("T08", txa("D1"), text("12"))], ["1 OBX[1] FINAL"]),
    "an edit adds a part": ([FIRST, said("T08", txa("D1"), text("12"), file())], ["1 OBX[1] FINAL", "1 OBX[2] FINAL"]),
    "an edit of another day": ([BOTH, said("T08", txa("D1", time="20260304"), text("12"))], ["1 OBX[1] FINAL"]),
    "a part taken back": ([BOTH, said("T08", txa("D1"), text("12"), file("D"))], ["1 OBX[1] FINAL"]),
    "the same document again": ([FIRST, FIRST], ["1 OBX[1] FINAL"]),
    "an addendum leaves its parent": (
        [FIRST, said("T06", txa("D2", "D1"), text("Also."))],
        ["0 OBX[1] FINAL", "1 OBX[1] FINAL"],
    ),
    "an addendum under the number of its parent": (
        [FIRST, said("T06", txa("D1", "D1"), text("Also."))],
        ["0 OBX[1] FINAL", "1 OBX[1] FINAL"],
    ),
    "an addendum without a number": (
        [FIRST, said("T06", txa("", "D1"), text("Also."))],
        ["0 OBX[1] FINAL", "1 OBX[1] FINAL"],
    ),
    "two addenda": (
        [FIRST, said("T06", txa("D1", "D1"), text("One.")), said("T06", txa("D1", "D1"), text("Two."))],
        ["0 OBX[1] FINAL", "1 OBX[1] FINAL", "2 OBX[1] FINAL"],
    ),
    "an addendum that is told of": ([FIRST, said("T05", txa("D2", "D1"))], ["0 OBX[1] FINAL", "1 TXA[1] FINAL"]),
    "a parent cancelled with an addendum under its number": (
        [FIRST, said("T06", txa("D1", "D1"), text("Also.")), said("T11", txa("D1"))],
        [],
    ),
    "a replacement": ([BOTH, said("T10", txa("D2", "D1"), text("12"))], ["1 OBX[1] FINAL"]),
    "a replacement under the same number": ([BOTH, said("T10", txa("D1", "D1"), text("12"))], ["1 OBX[1] FINAL"]),
    "a replacement of what never came": ([said("T10", txa("D2", "D1"), text("12"))], ["0 OBX[1] FINAL"]),
    "a replacement that is told of, then comes": (
        [FIRST, said("T09", txa("D2", "D1")), said("T10", txa("D2", "D1"), text("12"))],
        ["2 OBX[1] FINAL"],
    ),
    "a replaced document that is cancelled later": (
        [FIRST, said("T10", txa("D2", "D1"), text("12")), said("T11", txa("D1"))],
        ["1 OBX[1] FINAL"],
    ),
    "a cancellation by number alone": ([BOTH, said("T11", "TXA|1||TX|||||||||D1|||||AU||CA")], []),
    "a cancellation with nothing but the number": (
        [BOTH, said("T11", "TXA||||||||||||D1")],
        [],
    ),
    "a cancellation of another document": (
        [FIRST, said("T02", txa("D2"), text("Other.")), said("T11", txa("D2"))],
        ["0 OBX[1] FINAL"],
    ),
    "a cancellation without a number": ([FIRST, said("T11", txa(""))], ["0 OBX[1] FINAL"]),
    "deleted by its availability": ([BOTH, said("T03", txa("D1", availability="CA"))], []),
    "obsolete by its availability": ([BOTH, said("T07", txa("D1", availability="OB"))], []),
    "a null is no availability": ([FIRST, said("T03", txa("D1", availability='""'))], ["1 TXA[1] FINAL"]),
    "signed without its content": (
        [said("T02", txa("D1", completion="DI"), text("Dictated."), file()), said("T03", txa("D1", completion="LA"))],
        ["1 TXA[1] FINAL", "1 TXA[1] FINAL"],
    ),
    "a status that is not told": (
        [said("T02", txa("D1", completion="IP"), text("Begun.")), said("T03", txa("D1", completion=""))],
        ["1 TXA[1] PRELIMINARY"],
    ),
    "not yet available": ([said("T02", txa("D1", availability="UN"), text("Held."))], ["0 OBX[1] PRELIMINARY"]),
    "told of before it comes": ([said("T01", txa("D1", completion="IP")), FIRST], ["1 OBX[1] FINAL"]),
    "told of and nothing more": ([said("T01", txa("D1", completion="IP"))], ["0 TXA[1] PRELIMINARY"]),
    "told of after it came": ([BOTH, said("T01", txa("D1"))], ["1 TXA[1] FINAL", "1 TXA[1] FINAL"]),
    "told of and cancelled": ([said("T01", txa("D1")), said("T11", txa("D1"))], []),
    "sent again after a cancellation": ([FIRST, said("T11", txa("D1")), FIRST], ["2 OBX[1] FINAL"]),
    "one number in two namespaces": (
        [said("T02", txa("D1^EHR"), text("One.")), said("T02", txa("D1^LAB"), text("Two."))],
        ["0 OBX[1] FINAL", "1 OBX[1] FINAL"],
    ),
    "a namespace left out": ([said("T02", txa("D1^EHR"), text("One.")), said("T11", txa("D1"))], []),
    "a namespace by its universal id": (
        [said("T02", txa("D1^EHR^1.2.3^ISO"), text("One.")), said("T08", txa("D1^^1.2.3^ISO"), text("Two."))],
        ["1 OBX[1] FINAL"],
    ),
    "two documents without numbers": (
        [said("T02", txa(""), text("One.")), said("T02", txa(""), text("Two."))],
        ["0 OBX[1] FINAL", "1 OBX[1] FINAL"],
    ),
}


@pytest.mark.parametrize(("messages", "expected"), TABLE.values(), ids=TABLE.keys())
def test_what_stands_of_a_document(messages: list[Said], expected: list[str]) -> None:
    facts = [stated(position, message) for position, message in enumerate(messages)]
    for order in permutations(facts):
        assert stands([fact for of_message in order for fact in of_message]) == expected


def test_what_was_read_from_a_file_stands_while_the_document_does() -> None:
    content = stated(0, FIRST)
    document = content[0].fact.source.document_id
    read_from_it = ClinicalFact(
        fact_id="read",
        kind=FACT_KIND_PROBLEM,
        patient=content[0].fact.patient,
        identity=Identity(groups=[f"file:{document}"], names=["problem"]),
        source=SourcePointer(event_id="reading", document_id=document),
    )
    facts = [*content, StatedFact(read_from_it, DAY, DAY, 0, DAY)]
    signed = stated(1, said("T03", txa("D1", completion="LA")))
    cancelled = stated(2, said("T11", txa("D1")))
    left = standing(replay([*facts, *signed]))
    assert {entry.fact.source.document_id for entry in left} == {document}
    assert len(left) == len(facts)
    entries = replay([*facts, *signed, *cancelled])
    assert not standing(entries)


def test_a_document_without_a_time_has_none() -> None:
    (fact,) = stated(0, said("T02", txa("D1", time=""), text("When?")))
    assert not fact.fact.HasField("valid_from")
    assert not fact.fact.HasField("valid_to")
