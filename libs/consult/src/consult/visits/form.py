"""A form: its sections in reading order, each line through the verifier before it stands in front.

Guarantee: what is told together was supported as a whole; where it was not, its pieces stand alone, and what of them
is not supported stays behind with its verdict. A text stands once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from grounding import Rendered, Sources, Statement, Verdict, Verifier
from grounding.statements import Words
from longitude.reasoning.v1 import assessment_pb2 as wire

from consult.drafting import Drafted, draft
from consult.visits import sections, specialist
from consult.visits.chart import Chart, Line
from consult.visits.specialties import specialty as known_specialty

Section = Callable[[Chart], Iterator[Line]]


def _blank(section: str, title: str) -> Section:
    """A title that the physician fills in."""

    def lines(_: Chart) -> Iterator[Line]:
        statement = Statement(wire.STATEMENT_KIND_BLANK, (Words(f"{title}:"),))
        rendered = Rendered(statement, f"{title}:", ())
        yield Line(section, drafted=Drafted(rendered, wire.AUTHOR_RULE, "note"))

    return lines


def _under(title: str, section: Section) -> Section:
    """A section under another heading."""

    def lines(chart: Chart) -> Iterator[Line]:
        for line in section(chart):
            yield replace(line, section=title)

    return lines


BRIEF: tuple[Section, ...] = (
    sections.patient,
    sections.alerts,
    sections.visits,
    sections.since,
    sections.problems,
    sections.other_values,
    sections.medication,
    sections.allergies,
    sections.due,
    sections.to_clarify,
)
SUMMARY: tuple[Section, ...] = (
    sections.patient,
    specialist.alerts,
    specialist.problems,
    specialist.past,
    specialist.courses,
    specialist.other_values,
    specialist.medication,
    sections.allergies,
    specialist.procedures,
    specialist.letters,
    sections.to_clarify,
)
NOTE: tuple[Section, ...] = (
    _under("Subjective", sections.patient),
    _blank("Subjective", "Chief complaint"),
    _blank("Subjective", "History of the present illness"),
    _under("Subjective: last visit", sections.visits),
    _under("Subjective: since then", sections.since),
    sections.taken,
    _under("Subjective: allergies", sections.allergies),
    sections.smoking,
    sections.vitals,
    sections.results,
    _blank("Objective", "Examination"),
    _under("Assessment: not to be missed", sections.alerts),
    sections.assessed,
    _blank("Assessment", "Impression"),
    sections.proposals,
    _under("Plan: due", sections.due),
    _under("Plan: to clarify", sections.to_clarify),
    _blank("Plan", "Plan"),
)
FORMS: dict[int, tuple[str, tuple[Section, ...]]] = {
    wire.FORM_BRIEF: ("brief", BRIEF),
    wire.FORM_SUMMARY: ("summary", SUMMARY),
    wire.FORM_NOTE: ("note", NOTE),
}


def title(form: int, specialty: str = "") -> str:
    """What stands in the place of a question; UnknownSpecialtyError."""
    if form == wire.FORM_SUMMARY:
        return f"Summary for {known_specialty(specialty).name}"
    return "Visit preparation" if form == wire.FORM_BRIEF else "Note"


def draw(form: int, specialty: str, rules: Sequence[Drafted], sources: Sources, verifier: Verifier) -> list[Drafted]:
    """What stands in front, section by section, then what is folded away; what rules say beside it, last."""
    name, parts = FORMS[form]
    own = known_specialty(specialty) if form == wire.FORM_SUMMARY else None
    chart = Chart.of(sources, rules, own)
    drawn = _once(each for part in parts for line in part(chart) for each in _drawn(line, name, sources, verifier))
    front = [each for each in drawn if each.front]
    said = {each.rendered.text for each in drawn}
    beside = [replace(each, front=False) for each in rules if each.rendered.text not in said]
    return [*front, *(each for each in drawn if not each.front), *beside]


def _drawn(line: Line, name: str, sources: Sources, verifier: Verifier) -> Iterator[Drafted]:
    if line.drafted:
        yield replace(line.drafted, section=line.section, front=line.front)
        return
    whole = _supported(line.ways, name, sources, verifier)
    if whole:
        yield replace(whole, section=line.section, front=line.front)
        return
    for piece in line.pieces or line.ways[:1]:
        drafted = draft(piece, sources, wire.AUTHOR_RULE, name)
        if drafted:
            yield replace(drafted, section=line.section, front=line.front and _holds(drafted, verifier))


def _supported(ways: Iterable[Statement], name: str, sources: Sources, verifier: Verifier) -> Drafted | None:
    drafted = (draft(each, sources, wire.AUTHOR_RULE, name) for each in ways)
    return next((each for each in drafted if each and _holds(each, verifier)), None)


def _holds(drafted: Drafted, verifier: Verifier) -> bool:
    rendered = drafted.rendered
    return verifier.verify(rendered.text, rendered.citations).verdict is Verdict.SUPPORTED


def _once(drafted: Iterable[Drafted]) -> list[Drafted]:
    """Each text where it stands first."""
    told: dict[str, Drafted] = {}
    for each in drafted:
        told.setdefault(each.rendered.text, each)
    return list(told.values())
