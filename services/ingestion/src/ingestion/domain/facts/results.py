"""OBR and OBX: results and vital signs. Corrections have the identity of what they correct."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import answers, specimens

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.pressures import pressures
from ingestion.domain.facts.quantities import (
    Measurement,
    lacks_unit,
    measured,
    normalise_result,
    structured_numeric,
    unit_of,
)
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment, Value
from ingestion.domain.timestamps import parse_date

TEXT_TYPES = frozenset({"TX", "FT"})
_STRINGS = TEXT_TYPES | {"ST", ""}
_CODED = frozenset({"CE", "CWE", "CNE", "IS", "ID"})
_DATES = frozenset({"DT", "TS", "DTM"})
# Pointers to data elsewhere, identifiers of parties: nothing that a record of findings says.
_NOT_RESULTS = frozenset({"RP", "ED", "XAD", "XPN", "XCN", "XTN", "XON", "CX", "HD", "EI"})

# HL7 table 0085.
_STATUSES = {
    "F": pb.FACT_STATUS_FINAL,
    "U": pb.FACT_STATUS_FINAL,
    "V": pb.FACT_STATUS_FINAL,
    "": pb.FACT_STATUS_FINAL,
    "C": pb.FACT_STATUS_CORRECTED,
    "A": pb.FACT_STATUS_CORRECTED,
    "B": pb.FACT_STATUS_CORRECTED,
    "P": pb.FACT_STATUS_PRELIMINARY,
    "R": pb.FACT_STATUS_PRELIMINARY,
    "S": pb.FACT_STATUS_PRELIMINARY,
    "I": pb.FACT_STATUS_PRELIMINARY,
    "O": pb.FACT_STATUS_PRELIMINARY,
    "N": pb.FACT_STATUS_PRELIMINARY,
    "W": pb.FACT_STATUS_ENTERED_IN_ERROR,
    "D": pb.FACT_STATUS_ENTERED_IN_ERROR,
    "X": pb.FACT_STATUS_ENTERED_IN_ERROR,
}
_WITHDRAWN = frozenset({"W", "D", "X"})
_PENDING = frozenset({"I", "O", "N"})


@dataclass(frozen=True, slots=True)
class _Observation:
    """One OBX with what its order says about it."""

    obx: Segment
    element: CodedElement
    status: str
    time: Timestamp | None
    groups: list[str]
    names: list[str]
    within: tuple[str, ...]


def results(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """Facts of the observations of an order, or of a person where there is no order."""
    within = examined(order)
    for lines in text_blocks(order.all("OBX")):
        obx = lines[0]
        if obx.get(2) in _NOT_RESULTS:
            if obx.get(2) == "RP":
                scope.origin.remark(obx, 5, "a reference to data elsewhere is not followed")
            continue
        observation = _observe(obx, order, within, scope)
        if observation is not None:
            yield from _facts(observation, lines, scope)


def text_blocks(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    """OBX segments, the consecutive lines of one text (TX, FT) together."""
    for (text, *_), group in groupby(segments, key=_block_key):
        if text:
            yield list(group)
        else:
            yield from ([segment] for segment in group)


def _block_key(obx: Segment) -> tuple[bool, str, str]:
    if obx.get(2) not in TEXT_TYPES:
        return False, "", ""
    return True, obx.raw(3), obx.raw(4)


def joined_text(lines: Iterable[Segment]) -> str:
    """The text of one block, a line for each segment and repetition."""
    return "\n".join(line.text(5) for line in lines).strip()


def _observe(obx: Segment, order: Order, within: tuple[str, ...], scope: Scope) -> _Observation | None:
    element = CodedElement.read(obx.value(3))
    if not element:
        scope.origin.remark(obx, 3, "no observation identifier")
        return None
    obr = order.first("OBR")
    status = obx.get(11) or (obr.get(25) if obr else "")
    time = observation_time(obx, order, scope)
    names = [f"{coding.code or coding.text}/{obx.get(4)}" for coding in element.codings]
    # Without any order number nothing can be corrected but what was said of the same moment.
    groups = order.filled_as() or [f"moment:{(time or scope.said_at).seconds}"]
    return _Observation(obx, element, status, time, groups, names, within)


def examined(order: Order) -> tuple[str, ...]:
    """The specimens that an order names: in its service (OBR-4), its source (OBR-15, before 2.5) or its SPM-4."""
    obr, specimen = order.first("OBR"), order.first("SPM")
    texts = list(CodedElement.read(obr.value(4)).texts) if obr else []
    codes = []
    if obr and obr.raw(15):
        texts += [obr.get(15, 1, 2), obr.get(15, 2)]
        codes.append(obr.get(15))
    if specimen:
        material = CodedElement.read(specimen.value(4))
        texts += material.texts
        codes += [coding.code for coding in material.codings]
    known = [*map(specimens.specimen_in, [*texts, *codes]), *map(specimens.by_code, codes)]
    return tuple(dict.fromkeys(material.name for material in known if material))


def observation_time(obx: Segment, order: Order, scope: Scope) -> Timestamp | None:
    """OBX-14, else OBR-7, else when the specimen was taken (SPM-17), else when it was reported (OBR-22, MSH-7).

    None where the first that is valued cannot be read: no other time takes its place.
    """
    obr, specimen = order.first("OBR"), order.first("SPM")
    for segment, number in ((obx, 14), (obr, 7), (specimen, 17), (obr, 22)):
        if segment is not None and segment.get(number):
            return scope.origin.time(segment, number)
    return scope.said_at


def _facts(seen: _Observation, lines: list[Segment], scope: Scope) -> Iterator[pb.ClinicalFact]:
    obx = seen.obx
    if not any(line.values(5) for line in lines):
        if seen.status in _WITHDRAWN:
            yield _fact(seen, scope, normalise_result(seen.element, None, scope).code, {}, "")
        elif seen.status not in _PENDING:
            scope.origin.remark(obx, 5, "no value")
    elif obx.get(2) in TEXT_TYPES:
        yield from _of_text(seen, joined_text(lines), scope)
    else:
        for number, value in enumerate(obx.values(5)):
            yield from _of_value(seen, value, "" if number == 0 else f":{number + 1}", scope)


def _of_value(seen: _Observation, value: Value, suffix: str, scope: Scope) -> Iterator[pb.ClinicalFact]:
    kind, unit = seen.obx.get(2), unit_of(seen.obx)
    number = _number(kind, value, unit)
    if number is not None:
        yield _of_number(seen, number, suffix, scope)
    elif kind in _STRINGS and (parts := list(_of_pressures(seen, value.whole().strip(), scope))):
        yield from parts
    else:
        if kind == "NM":
            scope.origin.remark(seen.obx, 5, "not a number; kept as text")
        code = normalise_result(seen.element, None, scope).code
        yield _fact(seen, scope, code, _content(kind, value, scope), suffix)


def _number(kind: str, value: Value, unit: str) -> Measurement | None:
    """The number in a value: in NM and SN always, elsewhere only beside a unit."""
    if kind == "SN":
        return structured_numeric(value, unit)
    if kind == "NM":
        return measured(value.whole(), unit)
    if kind == "CQ":
        return measured(value.get(1), unit or value.get(2))
    if kind in _STRINGS and unit:
        return measured(value.whole(), unit)
    return measured(value.get(1), unit) if kind in _CODED and unit and not value.get(3) else None


def _of_number(seen: _Observation, number: Measurement, suffix: str, scope: Scope) -> pb.ClinicalFact:
    normalised = normalise_result(seen.element, number.unit_as_sent, scope, seen.within)
    if not number.unit_as_sent and lacks_unit(seen.element):
        scope.origin.remark(seen.obx, 6, "no unit")
    content: dict[str, object] = dict(normalised.quantities(number))
    reference = normalised.reference_range(seen.obx.text(7), number.unit_as_sent)
    if reference is not None:
        content["reference_range"] = reference
    return _fact(seen, scope, normalised.code, content, suffix)


def _of_text(seen: _Observation, text: str, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """A text that is a number beside a unit is a number; any other is kept as it is."""
    unit = unit_of(seen.obx)
    number = measured(text, unit) if unit else None
    if number is not None:
        yield _of_number(seen, number, "", scope)
    elif text:
        yield _fact(seen, scope, normalise_result(seen.element, None, scope).code, {"text": text}, "")


def _content(kind: str, value: Value, scope: Scope) -> dict[str, object]:
    if kind in _CODED:
        element = CodedElement.read(value)
        return {"coded": _answer(scope.coding(element.primary))} if element else {"text": value.whole()}
    if kind in _DATES:
        return {"text": parse_date(value.get(1)) or value.get(1)}
    if kind == "SN":
        return {"text": "".join(value.get(component) for component in (1, 2, 3, 4))}
    return {"text": value.whole().strip()}


def _answer(sent: pb.CodedConcept) -> pb.CodedConcept:
    """A coded value, with the words that it is known by where none were sent."""
    return sent if sent.display else answers.of(sent) or sent


def _of_pressures(seen: _Observation, text: str, scope: Scope) -> Iterator[pb.ClinicalFact]:
    for part in pressures(seen.element, text, unit_of(seen.obx)):
        normalised = normalise_result(part.element, part.sent.unit_as_sent, scope)
        quantities: dict[str, object] = dict(normalised.quantities(part.sent))
        yield _fact(seen, scope, normalised.code, quantities, f":{part.loinc}")


def _fact(
    seen: _Observation,
    scope: Scope,
    code: pb.CodedConcept,
    content: dict[str, object],
    suffix: str,
) -> pb.ClinicalFact:
    obx = seen.obx
    return scope.fact(
        obx,
        obx.path(5, 1),
        pb.Identity(groups=seen.groups, names=seen.names, part=suffix),
        kind=pb.FACT_KIND_RESULT,
        code=code,
        source_code=scope.coding(seen.element.primary),
        valid_from=seen.time,
        valid_to=seen.time,
        status=_STATUSES.get(seen.status, pb.FACT_STATUS_FINAL),
        abnormal_flag=obx.get(8),
        **content,
    )
