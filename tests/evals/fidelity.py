"""How much of what others read from HL7 messages ingestion reads too, and the reverse (`LONGITUDE_CORPUS`).

Two collections pair messages with the FHIR resources that another converter made of them. Recall: the share of their
Observation, Condition, AllergyIntolerance, MedicationRequest, Immunization, Procedure and Encounter resources for which
a fact says the same concept and, where both have one, the same number. Precision: the share of facts of those kinds for
which any resource of the message says the same. Resources without any concept (20 in 100 procedures of the converter
are empty) are not counted. What is missed or said beside is told by reason.

    python -m tests.evals.fidelity [--misses]
"""

import json
import re
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ingestion.domain.batch import split_batch
from ingestion.domain.reading import Feed, read
from ingestion.domain.refusal import RefusedError
from longitude.record.v1 import fact_pb2 as pb

from tests.evals.corpora import CORPUS

KINDS: Mapping[str, frozenset[int]] = {
    "Observation": frozenset({pb.FACT_KIND_RESULT, pb.FACT_KIND_DEMOGRAPHIC, pb.FACT_KIND_DOCUMENT}),
    "Condition": frozenset({pb.FACT_KIND_PROBLEM, pb.FACT_KIND_RESULT}),
    "AllergyIntolerance": frozenset({pb.FACT_KIND_ALLERGY}),
    "MedicationRequest": frozenset({pb.FACT_KIND_MEDICATION}),
    "Immunization": frozenset({pb.FACT_KIND_IMMUNIZATION}),
    "Procedure": frozenset({pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_RESULT}),
    "Encounter": frozenset({pb.FACT_KIND_ENCOUNTER}),
}
_JUDGED = frozenset(kind for kinds in KINDS.values() for kind in kinds) - {pb.FACT_KIND_DEMOGRAPHIC}
# The converter's own code systems: its codes are no words of the message.
_OWN = "v2-to-fhir-converter"
_MADE_UP = "own:"
# MSH-11 behind splitting: MSH-1 is the separator.
_PROCESSING = 10
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Pair:
    """A message, and what another converter made of it."""

    name: str
    message: bytes
    resources: Sequence[Mapping[str, Any]]


@dataclass
class Count:
    """Found of expected (recall) or right of said (precision)."""

    hits: int = 0
    of: int = 0
    misses: Counter[str] = field(default_factory=Counter)

    def add(self, *, hit: bool, reason: str) -> None:
        self.of += 1
        self.hits += hit
        if not hit:
            self.misses[reason] += 1

    def __str__(self) -> str:
        return f"{self.hits:5} of {self.of:5}  {self.hits / self.of:.3f}" if self.of else "    -"


def pairs() -> Iterator[Pair]:
    """Both collections; none without a corpus."""
    if CORPUS:
        yield from _converter(Path(CORPUS, "hl7", "ms_fhir_converter"))
        yield from _reportstream(Path(CORPUS, "hl7", "cdc_reportstream"))


def _converter(folder: Path) -> Iterator[Pair]:
    with tarfile.open(folder / "expected_fhir_r4.tar.xz") as archive:
        for member in archive.getmembers():
            message = folder / "messages" / f"{Path(member.name).name.removesuffix('-expected.json')}.hl7"
            if message.exists():
                yield Pair(message.stem, message.read_bytes(), _resources(_bytes(archive, member)))


def _reportstream(folder: Path) -> Iterator[Pair]:
    with tarfile.open(next(folder.glob("*.tar.xz"))) as archive:
        members = {Path(member.name): member for member in archive.getmembers() if member.isfile()}
        for path, member in members.items():
            pair = members.get(path.with_suffix(".hl7"))
            if path.suffix == ".fhir" and pair is not None and "FHIR_to_HL7" not in str(path.parent.name):
                yield Pair(path.stem, _bytes(archive, pair), _resources(_bytes(archive, member)))


def _bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None
    return file.read()


def _resources(content: bytes) -> list[Mapping[str, Any]]:
    try:
        bundle = json.loads(content.decode("utf-8-sig"))
    except ValueError:
        return []
    return [entry["resource"] for entry in bundle.get("entry", []) if "resource" in entry]


# --- what is said ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What ingestion says of a message: its facts, and the texts of its documents."""

    facts: Sequence[pb.ClinicalFact]
    texts: Sequence[str]


def _said(pair: Pair) -> Said | None:
    facts: list[pb.ClinicalFact] = []
    texts: list[str] = []
    for message in split_batch(pair.message) or [pair.message]:
        try:
            content = read(_as_production(message), datetime.now(UTC), Feed()).content
        except RefusedError:
            return None
        facts += content.facts
        texts += [_plain(each.content.decode(errors="replace")) for each in content.documents]
    return Said(facts, texts)


def _as_production(message: bytes) -> bytes:
    """Samples are often marked as training (MSH-11); what they say is judged all the same."""
    header, separator, rest = message.partition(b"\r")
    fields = header.split(b"|")
    if len(fields) > _PROCESSING and fields[_PROCESSING].split(b"^")[0] in {b"T", b"D"}:
        fields[_PROCESSING] = b"P"
    return b"|".join(fields) + separator + rest


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _names(codeable: Any) -> set[str]:
    """Codes and texts of a CodeableConcept, or of a list of them."""
    if isinstance(codeable, list):
        return set().union(*map(_names, codeable))
    if not isinstance(codeable, Mapping):
        return set()
    codings = [codeable] if "code" in codeable and isinstance(codeable["code"], str) else codeable.get("coding", [])
    names = {_plain(str(coding.get(key, ""))) for coding in codings for key in ("code", "display")}
    names |= {_MADE_UP + _plain(coding.get("display", "")) for coding in codings if _OWN in coding.get("system", "")}
    return (names | {_plain(str(codeable.get("text", "")))}) - {""}


def _numbers(resource: Mapping[str, Any]) -> set[Decimal]:
    values = [resource, *resource.get("component", [])]
    return {number for value in values for number in [_decimal(value.get("valueQuantity", {}).get("value"))] if number}


def _decimal(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value)).normalize()
    except InvalidOperation:
        return None


_CONCEPT = {
    "Encounter": ("class", "type"),
    "MedicationRequest": ("medicationCodeableConcept",),
    "Immunization": ("vaccineCode",),
}


def _concepts(resource: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> set[str]:
    kind = resource["resourceType"]
    names = set().union(*(_names(resource.get(key)) for key in _CONCEPT.get(kind, ("code",))))
    for component in resource.get("component", []):
        names |= _names(component.get("code"))
    reference = resource.get("medicationReference", {}).get("reference", "")
    if reference in others:
        names |= _names(others[reference].get("code"))
    return names


def _fact_names(fact: pb.ClinicalFact) -> set[str]:
    concepts = (fact.code, fact.source_code, fact.coded)
    return {_plain(text) for concept in concepts for text in (concept.code, concept.display)} - {""}


def _fact_numbers(fact: pb.ClinicalFact) -> set[Decimal]:
    return {n for q in (fact.quantity, fact.source_quantity) if q.value and (n := _decimal(q.value)) is not None}


def _says(fact: pb.ClinicalFact, names: set[str], numbers: set[Decimal]) -> bool:
    own_names = _fact_names(fact)
    if not names & own_names and not any(_is_part(name, own) for name in names for own in own_names):
        return False
    own = _fact_numbers(fact)
    return not own or not numbers or bool(own & numbers)


def _is_part(name: str, own: str) -> bool:
    """Whether a title that the converter made up (`own:autopsy`) is in the words of a fact."""
    made_up, _, words = name.partition(_MADE_UP)
    return not made_up and bool(words) and set(words.split()) <= set(own.split())


def _is_told(resource: Mapping[str, Any], names: set[str], numbers: set[Decimal], content: Said) -> bool:
    """By a fact of its kind, or as the text of a document."""
    kinds = KINDS[resource["resourceType"]]
    text = _plain(resource.get("valueString", ""))
    return any(fact.kind in kinds and _says(fact, names, numbers) for fact in content.facts) or (
        bool(text) and any(text in each for each in content.texts)
    )


# --- the figures ----------------------------------------------------------------------------------------------------


@dataclass
class Comparison:
    """Recall by resource type, precision by kind of fact, and each miss in a line."""

    recall: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    precision: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    lines: list[str] = field(default_factory=list)

    def add(self, pair: Pair) -> None:
        """Compare one message."""
        said = _said(pair)
        if said is None:
            self.lines.append(f"refused    {pair.name}")
            return
        others = {f"{r['resourceType']}/{r.get('id', '')}": r for r in pair.resources}
        for resource in pair.resources:
            names = _concepts(resource, others)
            if resource["resourceType"] in KINDS and names:
                self._count_told(pair, resource, names, said)
        anything = [(_any_names(resource), _numbers(resource)) for resource in pair.resources]
        for fact in said.facts:
            if fact.kind in _JUDGED and not fact.identity.whole_group:
                self._count_right(pair, fact, any(_says(fact, *each) for each in anything))

    def _count_told(self, pair: Pair, resource: Mapping[str, Any], names: set[str], content: Said) -> None:
        kind, numbers = resource["resourceType"], _numbers(resource)
        hit = _is_told(resource, names, numbers, content)
        self.recall[kind].add(hit=hit, reason=_why(resource))
        if not hit:
            self.lines.append(f"missed     {pair.name} {kind}: {sorted(names)} {sorted(map(str, numbers))}")

    def _count_right(self, pair: Pair, fact: pb.ClinicalFact, hit: bool) -> None:  # noqa: FBT001 - one caller
        kind = pb.FactKind.Name(fact.kind).removeprefix("FACT_KIND_").lower()
        self.precision[kind].add(hit=hit, reason="beside")
        if not hit:
            self.lines.append(f"beside     {pair.name} {kind}: {sorted(_fact_names(fact))} {fact.source.field}")


def compare(messages: Iterable[Pair]) -> Comparison:
    """Compare every pair."""
    comparison = Comparison()
    for pair in messages:
        comparison.add(pair)
    return comparison


def _any_names(value: Any) -> set[str]:
    """Every code and text anywhere in a resource."""
    if isinstance(value, Mapping):
        here = {_plain(str(value[key])) for key in ("code", "display", "text") if isinstance(value.get(key), str)}
        if _OWN in str(value.get("system", "")):
            here.add(_MADE_UP + _plain(str(value.get("display", ""))))
        return here.union(*map(_any_names, value.values())) if value else here
    if isinstance(value, list):
        return set().union(*map(_any_names, value))
    return set()


def _why(resource: Mapping[str, Any]) -> str:
    if resource["resourceType"] == "Observation" and not any(key.startswith("value") for key in resource):
        return "no value yet" if "component" not in resource else "no value in a component"
    return "other"


def main(arguments: Sequence[str]) -> int:
    """0; 2 without a corpus."""
    if not CORPUS:
        print("LONGITUDE_CORPUS names no folder: nothing to measure")
        return 2
    comparison = compare(pairs())
    if "--misses" in arguments:
        print("\n".join(comparison.lines))
    for title, counts in (("recall", comparison.recall), ("precision", comparison.precision)):
        for name, count in sorted(counts.items()):
            reasons = ", ".join(f"{n} {reason}" for reason, n in count.misses.most_common())
            print(f"{title:10} {name:20} {count}   {reasons}")
        total = Count(sum(c.hits for c in counts.values()), sum(c.of for c in counts.values()))
        print(f"{title:10} {'all':20} {total}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
