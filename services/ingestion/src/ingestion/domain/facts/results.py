"""Observations as results and vital signs; what is said of all results of an order, and results that are only notes."""

from collections.abc import Iterator
from dataclasses import replace

from longitude.record.v1 import fact_pb2 as pb
from terminology import answers

from ingestion.domain.coding import CodedElement, primary_concept
from ingestion.domain.facts.observations import (
    NO_RESULT,
    TEXT_TYPES,
    WITHDRAWN,
    Observation,
    Report,
    names_of,
)
from ingestion.domain.facts.pressures import pressures
from ingestion.domain.facts.quantities import (
    Measurement,
    lacks_unit,
    measured,
    normalise_result,
    structured_numeric,
    unit_of,
    with_unit,
)
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment, Value
from ingestion.domain.timestamps import parse_date

_STRINGS = TEXT_TYPES | {"ST", ""}
_CODED = frozenset({"CE", "CWE", "CNE", "IS", "ID"})
_DATES = frozenset({"DT", "TS", "DTM"})
# Pointers to data elsewhere, identifiers of parties: nothing that a record of findings says.
_NOT_READ = {
    "RP": "a reference to data elsewhere is not followed",
    **dict.fromkeys(("XAD", "XPN", "XCN", "XTN", "XON", "CX", "HD", "EI"), "names a party or a thing; not read"),
}
_PRELIMINARY = pb.FACT_STATUS_PRELIMINARY


def results(report: Report, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """Facts of the observations of an order, or of a person where there is no order; documents are read elsewhere."""
    if report.is_cancelled:
        yield from _cancelled(report, scope)
    elif report.comments and not report.order.first("OBX"):
        yield from _of_notes(report, scope)
    for observation in report.observations:
        if not observation.is_document:
            yield from _facts(observation, scope)


def _cancelled(report: Report, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """The order has no results, whatever was sent of it before."""
    segment = report.order.first("OBR") or report.order.first("ORC")
    if segment is None or not report.groups:
        return
    is_order = segment.name == "ORC"
    element = CodedElement((), "") if is_order else CodedElement.read(segment.value(4))
    yield scope.fact(
        segment,
        segment.path(1 if is_order or not segment.raw(25) else 25),
        pb.Identity(groups=report.groups, whole_group=True),
        kind=pb.FACT_KIND_RESULT,
        code=scope.coding(element.primary),
        status=WITHDRAWN,
        stated_at=report.stated_at,
        comments=report.comments,
    )


def _of_notes(report: Report, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """An order that is answered by notes (NTE) alone."""
    obr, note = report.order.first("OBR"), report.order.first("NTE")
    element = CodedElement.read(obr.value(4)) if obr else None
    if obr is None or note is None or not element:
        return
    names = [f"{name}/" for name in names_of(element)]
    observation = Observation([], "", report, element, names, report.state or _PRELIMINARY, report.time, [])
    code = normalise_result(element, None, scope).code
    yield _fact(observation, scope, code, {"text": "\n".join(report.comments)}, "", (note, 3))


def _facts(seen: Observation, scope: Scope) -> Iterator[pb.ClinicalFact]:
    obx = seen.obx
    if seen.status == NO_RESULT:
        if seen.has_value:
            scope.origin.remark(obx, 11, "its state says that there is no result; the value is not read")
    elif seen.status == WITHDRAWN:
        if not seen.report.groups:
            scope.origin.remark(obx, 11, "a withdrawal without an order number or a time; it is not known of what")
        yield from _withdrawn(seen, scope)
    elif seen.kind in _NOT_READ:
        scope.origin.remark(obx, 5, _NOT_READ[seen.kind])
    elif seen.has_value:
        yield from _of_values(seen, scope)
    elif seen.comments:
        noted, code = replace(seen, comments=[]), normalise_result(seen.element, None, scope).code
        yield _fact(noted, scope, code, {"text": "\n".join(seen.comments)}, "")
    else:
        scope.origin.remark(obx, 5, "no value")


def _withdrawn(seen: Observation, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """With the value that is withdrawn, where it is repeated."""
    if seen.has_value and seen.kind not in (_NOT_READ.keys() | {"ED"}):
        yield from _of_values(seen, scope)
    else:
        yield _fact(seen, scope, normalise_result(seen.element, None, scope).code, {}, "")


def _of_values(seen: Observation, scope: Scope) -> Iterator[pb.ClinicalFact]:
    if seen.kind in TEXT_TYPES:
        yield from _of_text(seen, seen.text, scope)
        return
    for number, value in enumerate(seen.obx.values(5)):
        yield from _of_value(seen, value, "" if number == 0 else f":{number + 1}", scope)


def _of_value(seen: Observation, value: Value, suffix: str, scope: Scope) -> Iterator[pb.ClinicalFact]:
    kind, unit = seen.kind, unit_of(seen.obx)
    number = _number(seen, value, unit)
    if number is None and (kind in _STRINGS or kind == "NM"):
        number = _with_unit(seen, value.whole(), unit, scope)
    if number is not None:
        yield _of_number(seen, number, suffix, scope)
    elif kind in _STRINGS and (parts := list(_of_pressures(seen, value.whole().strip(), scope))):
        yield from parts
    else:
        if kind == "NM":
            scope.origin.remark(seen.obx, 5, "not a number; kept as text")
        code = normalise_result(seen.element, None, scope).code
        yield _fact(seen, scope, code, _content(kind, value, unit, scope), suffix)


def _number(seen: Observation, value: Value, unit: str) -> Measurement | None:
    """The number in a value: in NM and SN always, elsewhere only beside a unit."""
    kind, reference = seen.kind, seen.obx.raw(7)
    if kind == "SN":
        return structured_numeric(value, unit)
    if kind == "NM":
        return measured(value.whole(), unit, reference)
    if kind == "CQ":
        return measured(value.get(1), unit or value.get(2))
    if kind in _STRINGS and unit:
        return measured(value.whole(), unit, reference)
    return measured(value.get(1), unit) if kind in _CODED and unit and not value.get(3) else None


def _with_unit(seen: Observation, text: str, unit: str, scope: Scope) -> Measurement | None:
    """A value that has its unit with it (`5.4 mmol/L`), where results of this code come in that unit."""
    number = with_unit(text)
    if number is None or unit not in ("", number.unit_as_sent):
        return None
    known = normalise_result(seen.element, number.unit_as_sent, scope, seen.report.within).known
    return number if known is not None else None


def _of_number(seen: Observation, number: Measurement, suffix: str, scope: Scope) -> pb.ClinicalFact:
    normalised = normalise_result(seen.element, number.unit_as_sent, scope, seen.report.within)
    if not number.unit_as_sent and lacks_unit(seen.element):
        scope.origin.remark(seen.obx, 6, "no unit")
    content: dict[str, object] = dict(normalised.quantities(number))
    reference = normalised.reference_range(seen.obx.text(7), number.unit_as_sent)
    if reference is not None:
        content["reference_range"] = reference
    return _fact(seen, scope, normalised.code, content, suffix)


def _of_text(seen: Observation, text: str, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """A text that is a number beside a unit is a number; any other is kept as it is."""
    unit = unit_of(seen.obx)
    number = (measured(text, unit) if unit else None) or _with_unit(seen, text, unit, scope)
    if number is not None:
        yield _of_number(seen, number, "", scope)
    elif text:
        yield _fact(seen, scope, normalise_result(seen.element, None, scope).code, {"text": text}, "")


def _content(kind: str, value: Value, unit: str, scope: Scope) -> dict[str, object]:
    if kind in _CODED:
        element = CodedElement.read(value)
        return {"coded": _answer(scope.coding(element.primary))} if element else {"text": value.whole()}
    if kind in _DATES:
        return {"text": parse_date(value.get(1)) or value.get(1)}
    if kind == "SN":
        return {"text": f"{''.join(value.get(component) for component in (1, 2, 3, 4))} {unit}".strip()}
    return {"text": value.whole().strip()}


def _answer(sent: pb.CodedConcept) -> pb.CodedConcept:
    """A coded value, with the words that it is known by where none were sent."""
    return sent if sent.display else answers.of(sent) or sent


def _of_pressures(seen: Observation, text: str, scope: Scope) -> Iterator[pb.ClinicalFact]:
    for part in pressures(seen.element, text, unit_of(seen.obx)):
        normalised = normalise_result(part.element, part.sent.unit_as_sent, scope)
        quantities: dict[str, object] = dict(normalised.quantities(part.sent))
        yield _fact(seen, scope, normalised.code, quantities, f":{part.loinc}")


def _fact(
    seen: Observation,
    scope: Scope,
    code: pb.CodedConcept,
    content: dict[str, object],
    part: str,
    place: tuple[Segment, int] | None = None,
) -> pb.ClinicalFact:
    """`place`: where it stands, unless in OBX-5."""
    segment = place[0] if place else seen.obx
    return scope.fact(
        segment,
        segment.path(place[1]) if place else segment.path(5, 1),
        seen.identity(part),
        kind=pb.FACT_KIND_RESULT,
        code=code,
        source_code=primary_concept(seen.element, scope.origin.facility),
        valid_from=seen.time,
        valid_to=seen.time,
        status=seen.status,
        stated_at=seen.report.stated_at,
        abnormal_flag="" if place else segment.get(8),
        about=seen.report.about,
        comments=seen.comments,
        **content,
    )
