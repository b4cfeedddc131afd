"""OBR and OBX as reports and observations: of which identity, state and time each is, and what is noted beside it.

Guarantee: two observations of one message never have one identity, and no time stands for one that nobody stated.

An observation is known by its order and by OBX-3 with OBX-4. Laboratories give one accession number to several OBR, so
the service (OBR-4) belongs to the number: it comes first among the groups. Its parent result (OBR-26) is part of its
name. Without any number it can only be found by its time, outside of orders also by its visit.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import answers, results, specimens

from ingestion.domain.coding import CodedElement, Coding
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment, Value
from ingestion.domain.protocol import table

TEXT_TYPES = frozenset({"TX", "FT"})
# A longer text in one observation is a document.
LONGEST_FACT_TEXT = 4_000
_WORDS = TEXT_TYPES | {"ST"}
_NUMERIC = frozenset({"NM", "SN"})
_NULL = '""'
_EMPTY = ("", _NULL)
_SAYS = {
    "final": pb.FACT_STATUS_FINAL,
    "corrected": pb.FACT_STATUS_CORRECTED,
    "preliminary": pb.FACT_STATUS_PRELIMINARY,
    "withdrawn": pb.FACT_STATUS_ENTERED_IN_ERROR,
    "none": pb.FACT_STATUS_UNSPECIFIED,
}
WITHDRAWN = pb.FACT_STATUS_ENTERED_IN_ERROR
NO_RESULT = pb.FACT_STATUS_UNSPECIFIED
_ORDER_DETAIL = "O"
_STRINGS = frozenset({"ST", ""})
# What a text in strings is taken for.
PROSE = "TX"
# Three words that follow each other.
_SENTENCE = re.compile(r"[^\W\d_]{2,}[,;:]? [^\W\d_]{2,}[,;:]? [^\W\d_]{2,}")
_STANDS = (pb.FACT_STATUS_PRELIMINARY, pb.FACT_STATUS_CORRECTED, pb.FACT_STATUS_FINAL)
# HL7 table 0119: the filler has cancelled the order. A placer's wish (CA) is done where the filler repeats it beside
# results. An order that is discontinued (DC, OD, DR) or held has no more results, and keeps those that it has.
_CANCELLED = frozenset({"OC", "CR"})
_WISHED = "CA"
# Why a specimen was rejected, in which condition it was, and what its collector remarked: as good as notes.
_CONDITIONS = {"SPM": (21, 24), "OBR": (39,)}
# Segments after which a note is about the whole order.
_OF_ORDER = frozenset({"OBR", "ORC", "SPM", "SAC"})


@dataclass(slots=True)
class Report:
    """An order with its observations, or the observations of a person where there is no order."""

    order: Order
    groups: list[str]
    # The specimens that order and specimen segments name.
    within: tuple[str, ...]
    # When it was observed, by OBR-7 or SPM-17.
    time: Timestamp | None
    stated_at: Timestamp
    # What OBR-25 says of observations that have no state of their own.
    state: "pb.FactStatus.ValueType"
    is_cancelled: bool
    # Notes about all of it.
    comments: list[str]
    # The parent result by its names, and what it says.
    parents: list[str]
    about: pb.CodedConcept | None
    observations: list["Observation"] = field(default_factory=list)


@dataclass(slots=True)
class Observation:
    """One OBX, or the lines of one text."""

    lines: list[Segment]
    # OBX-2.
    kind: str
    report: Report
    element: CodedElement
    names: list[str]
    status: "pb.FactStatus.ValueType"
    time: Timestamp | None
    comments: list[str]
    instance: int = 0

    @property
    def obx(self) -> Segment:
        """The first line."""
        return self.lines[0]

    @property
    def has_value(self) -> bool:
        """Whether there is anything in OBX-5."""
        return any(line.values(5) and not _is_deleted(line) for line in self.lines)

    @property
    def is_document(self) -> bool:
        """Whether it is kept as a document instead of a result: a file, or a text too long for a fact."""
        if self.status in (WITHDRAWN, NO_RESULT):
            return False
        if self.kind not in TEXT_TYPES:
            return self.kind == "ED"
        return sum(len(line.raw(5)) for line in self.lines) > LONGEST_FACT_TEXT

    @property
    def text(self) -> str:
        """A line for each segment and repetition."""
        return joined_text(self.lines)

    def identity(self, part: str = "", *groups: str) -> pb.Identity:
        """Of one part of it. `groups`: more of them."""
        return pb.Identity(groups=[*self.report.groups, *groups], names=self.names, instance=self.instance, part=part)


def reports(orders: Sequence[Order], scope: Scope) -> list[Report]:
    """The orders of one person as reports; no two observations under one identity."""
    found = [_report(order, orders, scope) for order in orders if order.segments]
    _number([each for report in found for each in report.observations], scope)
    return found


def joined_text(lines: Iterable[Segment]) -> str:
    """The text of several OBX, a line for each segment and repetition."""
    return "\n".join(line.text(5) for line in lines).strip()


def _report(order: Order, orders: Sequence[Order], scope: Scope) -> Report:
    obr, specimen = order.first("OBR"), order.first("SPM")
    time = _time(scope, (obr, 7), (specimen, 17))
    parents, about = _parent(obr, order, orders, scope)
    notes = _notes(order)
    report = Report(
        order=order,
        groups=_groups(order, obr, specimen, time, scope),
        within=_examined(order, obr, specimen),
        time=time,
        stated_at=_time(scope, (obr, 22)) or scope.said_at,
        state=_status(obr, 25, "report_states", pb.FACT_STATUS_FINAL, scope) if obr else pb.FACT_STATUS_FINAL,
        is_cancelled=_is_cancelled(order, obr, scope),
        comments=notes.pop(0, []) if scope.origin.trigger.startswith("R") else [],
        parents=parents,
        about=about,
    )
    report.observations = list(_observations(report, notes, scope))
    for each in report.observations if report.is_cancelled else ():
        if each.status in _STANDS:
            scope.origin.remark(each.obx, 11, "a result of an order that is said to be cancelled without any")
    return report


# --- what the observations of an order share --------------------------------------------------------------------------


def _time(scope: Scope, *places: tuple[Segment | None, int]) -> Timestamp | None:
    """The first time that is stated; when it cannot be read, no other one is taken for it."""
    for segment, number in places:
        if segment is not None and segment.get(number):
            return scope.origin.time(segment, number)
    return None


def _groups(
    order: Order, obr: Segment | None, specimen: Segment | None, time: Timestamp | None, scope: Scope
) -> list[str]:
    numbers = order.filled_as()
    if not numbers:
        return _unnumbered(obr, specimen, time, scope)
    if obr is None:
        return numbers
    decides = numbers[0].partition(":")[0] + ":"
    codes = [coding.code or coding.text for coding in CodedElement.read(obr.value(4)).codings]
    services = [f"{n.replace(':', '-service:', 1)}/{code}" for n in numbers if n.startswith(decides) for code in codes]
    return [*services, *numbers]


def _unnumbered(obr: Segment | None, specimen: Segment | None, time: Timestamp | None, scope: Scope) -> list[str]:
    if obr is None and specimen is not None and specimen.get(2):
        return [f"specimen:{specimen.get(2)}", *filter(None, [specimen.get(2, 2) and f"specimen:{specimen.get(2, 2)}"])]
    if obr is None and specimen is None:
        return [f"observations:{scope.encounter_id}"]
    return [f"moment:{time.seconds}"] if time is not None else []


def _examined(order: Order, obr: Segment | None, specimen: Segment | None) -> tuple[str, ...]:
    """The specimens that an order names: in OBR-4, OBR-15 (before 2.5), SPM-4, and of a container in SAC-6; and what in
    OBR-4 may qualify its results.
    """
    texts = list(CodedElement.read(obr.value(4)).texts) if obr else []
    qualified = [text for text in texts if results.is_qualified(text)]
    codes: list[str] = []
    for segment, number in ((obr, 15), (order.first("SAC"), 6)):
        if segment is not None and segment.raw(number):
            texts += [segment.get(number, 1, 2), segment.get(number, 2)]
            codes.append(segment.get(number))
    if specimen:
        material = CodedElement.read(specimen.value(4))
        texts += material.texts
        codes += [coding.code for coding in material.codings]
    known = [*map(specimens.specimen_in, [*texts, *codes]), *map(specimens.by_code, codes)]
    return tuple(dict.fromkeys([*(material.name for material in known if material), *qualified]))


def _is_cancelled(order: Order, obr: Segment | None, scope: Scope) -> bool:
    """Whether the order says that nothing of it is a result. OBR-25 decides, where it says anything."""
    state = obr.get(25).upper() if obr else ""
    if state:
        return _said("report_states").get(state) == WITHDRAWN
    orc = order.first("ORC")
    if orc is None or (obr is None and not scope.origin.trigger.startswith("R")):
        return False
    wished = scope.origin.trigger.startswith("R") and _WISHED in (order.control, orc.get(5).upper())
    return order.control in _CANCELLED or wished


@cache
def _said(states: str) -> dict[str, "pb.FactStatus.ValueType"]:
    return {state: _SAYS[row["says"]] for state, row in table(states).items()}


def _notes(order: Order) -> dict[int, list[str]]:
    """The texts of the notes by the occurrence of their OBX in the message; under 0 those about the whole order."""
    found: dict[int, list[str]] = defaultdict(list)
    about = 0
    for segment in order.segments:
        if segment.name == "OBX":
            about = segment.occurrence
        elif segment.name in _OF_ORDER:
            about = 0
        elif segment.name == "NTE" and (text := segment.text(3).strip()):
            found[about].append(text)
        for number in _CONDITIONS.get(segment.name, ()):
            found[0] += [_words(value) for value in segment.values(number)]
    return found


def _words(value: Value) -> str:
    element = CodedElement.read(value)
    return next(iter(element.texts), element.primary.code)


# --- the parent result ------------------------------------------------------------------------------------------------


def _parent(
    obr: Segment | None, order: Order, orders: Sequence[Order], scope: Scope
) -> tuple[list[str], pb.CodedConcept | None]:
    """OBR-26: the names of the parent result, and what was found there (an organism)."""
    if obr is None or not obr.raw(26).replace(_NULL, ""):
        return [], None
    value = obr.value(26)
    codes, sub_id, text = list(filter(None, (value.get(1, 1), value.get(1, 4)))), value.get(2), value.get(3)
    names = [f"<{code}/{sub_id}" for code in codes] or [f"<{text}/{sub_id}"]
    others = _parent_orders(obr, order, orders)
    parents = [each for other in others for each in other.all("OBX") if _is_named(each, codes, sub_id)]
    if parents and all(each.get(2) in _NUMERIC for each in parents):
        return names, None
    stated = {(each.system, each.code): each for parent in parents if (each := _finding(parent, scope))}
    if len(stated) == 1:
        return names, next(iter(stated.values()))
    if text:
        return names, scope.coding(Coding("", text, ""))
    scope.origin.remark(obr, 26, "the parent result is not in this message; what this is a result of is not known")
    return names, None


def _parent_orders(obr: Segment, order: Order, orders: Sequence[Order]) -> Sequence[Order]:
    """Those that OBR-29 names, by the filler's number before the placer's; else all others."""
    for component, field_number in ((2, 3), (1, 2)):
        number = obr.get(29, component)
        named = [o for o in orders if number and number == _number_of(o, field_number)]
        if named:
            return named
    return [other for other in orders if other is not order]


def _number_of(order: Order, number: int) -> str:
    segments = filter(None, map(order.first, ("OBR", "ORC")))
    return next((segment.get(number) for segment in segments if segment.get(number)), "")


def _is_named(obx: Segment, codes: Sequence[str], sub_id: str) -> bool:
    named = not codes or any(coding.code in codes for coding in CodedElement.read(obx.value(3)).codings)
    return named and sub_id in ("", obx.get(4)) and bool(codes or sub_id)


def _finding(obx: Segment, scope: Scope) -> pb.CodedConcept | None:
    text = obx.text(5).strip() if obx.get(2) in _WORDS else ""
    element = CodedElement((Coding("", text, ""),), "") if text else CodedElement.read(obx.value(5))
    withdrawn = _said("observation_states").get(obx.get(11).upper()) in (WITHDRAWN, NO_RESULT) and obx.get(11)
    if withdrawn or not element:
        return None
    stated = scope.coding(element.primary)
    return stated if stated.display else answers.of(stated) or stated


# --- observations -----------------------------------------------------------------------------------------------------


def _observations(report: Report, notes: dict[int, list[str]], scope: Scope) -> Iterator[Observation]:
    for lines, status in _blocks(report.order.all("OBX"), report.state, scope):
        obx = lines[0]
        element = CodedElement.read(obx.value(3))
        if not element:
            scope.origin.remark(obx, 3, "no observation identifier")
            continue
        comments = [text for line in lines for text in notes.get(line.occurrence, ())] if notes else []
        sub_id = obx.raw(4).replace(_NULL, "").strip()
        names = [f"{name}/{sub_id}" for name in names_of(element)]
        yield Observation(
            lines=lines,
            kind=PROSE if _is_prose(lines) else obx.get(2),
            report=report,
            element=element,
            names=[name + parent for name in names for parent in report.parents] if report.parents else names,
            status=status,
            time=scope.origin.time(obx, 14) if obx.raw(14) not in _EMPTY else report.time,
            comments=[*comments, *report.comments],
        )


def names_of(element: CodedElement) -> list[str]:
    """By what an observation is known: the codes of OBX-3, or their texts."""
    return [coding.code or coding.text for coding in element.codings] or [element.original_text]


def _blocks(
    segments: Sequence[Segment], state: "pb.FactStatus.ValueType", scope: Scope
) -> Iterator[tuple[list[Segment], "pb.FactStatus.ValueType"]]:
    """Each OBX with its status; the consecutive lines of one text together, without those that are withdrawn."""
    text: list[tuple[Segment, pb.FactStatus.ValueType]] = []
    for obx in segments:
        status = _status_of(obx, state, scope)
        if text and not (_is_same(obx, text[-1][0]) and _is_prose([*(line for line, _ in text), obx])):
            yield from _of_text(text)
            text = []
        if obx.get(2) in TEXT_TYPES or _is_string(obx):
            text.append((obx, status))
        else:
            yield [obx], status
    yield from _of_text(text)


def _is_prose(lines: Sequence[Segment]) -> bool:
    """Whether these are the lines of one text: those of text types, and strings among which one has several words.

    Senders break sentences into strings (ST) too; a line alone may say the opposite (`There is no~evidence of ...`).
    """
    if all(line.get(2) in TEXT_TYPES for line in lines):
        return True
    several = len(lines) > 1 or len(lines[0].values(5)) > 1
    return several and all(map(_is_string, lines)) and any(_SENTENCE.search(line.text(5)) for line in lines)


def _is_string(obx: Segment) -> bool:
    return obx.get(2) in _STRINGS and not obx.raw(6)


def _is_same(obx: Segment, other: Segment) -> bool:
    return obx.raw(3) == other.raw(3) and obx.raw(4) == other.raw(4)


def _of_text(
    text: Sequence[tuple[Segment, "pb.FactStatus.ValueType"]],
) -> Iterator[tuple[list[Segment], "pb.FactStatus.ValueType"]]:
    """The lines that stand; where none does, those that are withdrawn. One line that is not final holds for all."""
    states = {status for _, status in text}
    for wanted in (_STANDS, (WITHDRAWN,), (NO_RESULT,)):
        if lines := [line for line, status in text if status in wanted]:
            yield lines, next(status for status in wanted if status in states)
            return


def _status_of(obx: Segment, state: "pb.FactStatus.ValueType", scope: Scope) -> "pb.FactStatus.ValueType":
    """OBX-11, else what the order says; a value that is deleted (`""`) is withdrawn whatever its state."""
    if _is_deleted(obx):
        return WITHDRAWN
    # With an order, O is an answer to a question of the order: it describes it, and is no result of it.
    if obx.get(11).upper() == _ORDER_DETAIL and not scope.origin.trigger.startswith("R"):
        return pb.FACT_STATUS_FINAL
    return _status(obx, 11, "observation_states", state, scope)


def _is_deleted(obx: Segment) -> bool:
    raw = obx.raw(5)
    marks = obx.delimiters
    return _NULL in raw and not raw.replace(_NULL, "").strip(marks.component + marks.repetition + marks.subcomponent)


def _status(
    segment: Segment, number: int, states: str, otherwise: "pb.FactStatus.ValueType", scope: Scope
) -> "pb.FactStatus.ValueType":
    code = segment.get(number)
    if not code:
        return otherwise
    status = _said(states).get(code.upper())
    if status is None:
        scope.origin.remark(segment, number, "not a state of the table; taken as preliminary")
        return pb.FACT_STATUS_PRELIMINARY
    return status


def _number(observations: Sequence[Observation], scope: Scope) -> None:
    """Tell those apart that a message has under one identity, and remark where nothing that was sent does."""
    named: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for each in observations:
        if each.status != NO_RESULT and each.report.groups:
            for name in each.names:
                named[each.report.groups[0], name].append(each)
    for several in named.values():
        if len(several) > 1:
            _number_alike(several, scope)


def _number_alike(several: Sequence[Observation], scope: Scope) -> None:
    times: set[int | None] = set()
    for number, each in enumerate(several, 1):
        time = each.time.ToNanoseconds() if each.time is not None else None
        if time in times and not each.instance:
            scope.origin.remark(each.obx, 4, "repeats an observation of the message without a sub-id; both are kept")
        times.add(time)
        each.instance = max(each.instance, number)
