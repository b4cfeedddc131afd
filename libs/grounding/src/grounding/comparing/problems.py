"""Problems, findings, allergies and relatives' diseases: that they are there, are over, or are denied."""

from collections.abc import Sequence

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import absence

from grounding import facts
from grounding import keys as keys_of
from grounding.comparing import meaning, results
from grounding.comparing.drugs import drug_keys
from grounding.comparing.meaning import Span
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading import names
from grounding.reading.nodes import Node

_SAID_NOWHERE = "the record has no such entry"
_KINDS = (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_IMAGING_FINDING)
# What a family says of a result: the result's LOINC code, and which flag it has.
_BY_RESULT = {
    "hyperkalemia": ("2823-3", "high"),
    "hypokalemia": ("2823-3", "low"),
    "hyponatremia": ("2951-2", "low"),
    "anemia": ("718-7", "low"),
    "thrombocytopenia": ("777-3", "low"),
}
_STAGES = {"ckd-1": "G1", "ckd-2": "G2", "ckd-3a": "G3a", "ckd-3b": "G3b", "ckd-4": "G4", "ckd-5": "G5"}


def problem_keys(condition: Node) -> Keys:
    return meaning.keys(condition, names.PROBLEM, names.IMAGING, names.ALLERGEN)


def conditions(node: Node, role: str = "conditions") -> list[Node]:
    found: list[Node] = []
    for each in node.all(role):
        found += list(each.within("condition")) if "condition" not in each.kinds else [each]
    return [*found, *node.all("condition")]


def problem(node: Node, record: Record) -> list[Outcome]:
    """A problem that the patient has now, or had."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    past = {part.text for part in node.parts} & {"history", "hx", "past", "had", "pmh", "pmhx", "known", "previous", "h", "o"}
    return [each for one in conditions(node) for each in _problem(one, spans, bool(past), node, record)]


def _problem(condition: Node, spans: Sequence[Span], past: bool, node: Node, record: Record) -> list[Outcome]:
    keys = problem_keys(condition)
    of_family = "family history" in condition.text.lower()
    entries = [fact for fact in record.of(keys, *_KINDS) if facts.is_family_history(fact) == of_family]
    entries = [fact for fact in entries if _same_side(condition, fact)]
    present = [fact for fact in entries if not facts.is_absent(fact)]
    if not present:
        if entries:
            return [contradicted("negation", "the record says that it is absent", entries[-1:])]
        return [_by_result(keys, spans, record) or unsupported("problem", _SAID_NOWHERE)]
    if spans:
        fitting = [fact for fact in present if all(_is_of(fact, span) for span in spans)]
        if not fitting:
            return [contradicted("date", told(present[-1]), present[-1:])]
        if any(span.relation in ("since", "now") for span in spans) and all(_over(each, record) for each in fitting):
            return [contradicted("status", told(fitting[-1]), fitting[-1:])]
        return [supported("problem", fitting[-1:])]
    current = [fact for fact in present if not _over(fact, record)]
    if not current and not past:
        return [contradicted("status", told(present[-1]), present[-1:])]
    return [supported("problem", (current or present)[-1:])]


def _same_side(condition: Node, fact: ClinicalFact) -> bool:
    said = {each.says("side") for each in condition.all("side")}
    own = facts.sides(fact)
    return not said or said == own


def _over(fact: ClinicalFact, record: Record) -> bool:
    return facts.has_ended(fact, record.today)


def _is_of(fact: ClinicalFact, span: Span) -> bool:
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    match span.relation:
        case "since" | "between":
            return span.includes(start)
        case "until":
            return span.includes(end)
        case "now":
            return True
    if not span.readings:
        return False
    return start is not None and any(start <= last and first <= (end or start) for first, last in span.readings)


def told(fact: ClinicalFact) -> str:
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    return f"the record has {facts.name_of(fact)}" + (f" from {start}" if start else "") + (f" until {end}" if end else "")


def _by_result(keys: Keys, spans: Sequence[Span], record: Record) -> Outcome | None:
    """What a flagged result or a computed stage says."""
    for identifier, (loinc, wanted) in _BY_RESULT.items():
        if names.of_family(identifier) in keys:
            points = record.points(frozenset({keys_of.of_loinc(loinc)}))
            chosen = results.within(points, spans, record) if spans else points[-1:]
            if not chosen:
                return None
            levels = {results.level_of(each) for each in chosen}
            if wanted in levels:
                return supported("level", chosen[-1].facts)
            reason = f"the record has {results.told(chosen[-1])} on {chosen[-1].day}"
            return contradicted("level", reason, chosen[-1].facts)
    return _stage(keys, record)


def _stage(keys: Keys, record: Record) -> Outcome | None:
    for identifier, stage in _STAGES.items():
        if names.of_family(identifier) in keys:
            newest = [each for each in record.derived if each.label.startswith("G")]
            if not newest:
                return None
            last = max(newest, key=lambda each: each.day)
            used = [record.sources.fact(each) for each in last.fact_ids]
            if last.label == stage or (identifier == "ckd-3" and last.label.startswith("G3")):
                return supported("category", used)
            return contradicted("category", f"by the newest eGFR it is {last.label}", used)
    return None


def resolved(node: Node, record: Record) -> list[Outcome]:
    """A problem that is over."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    ends = [span for when in node.all("end") for span in meaning.spans(when, record)]
    found: list[Outcome] = []
    for condition in conditions(node):
        entries = [fact for fact in record.of(problem_keys(condition), *_KINDS) if not facts.is_absent(fact)]
        over = [fact for fact in entries if _over(fact, record)]
        fitting = [
            fact
            for fact in over
            if all(_is_of(fact, span) for span in spans) and all(span.includes(facts.ends_on(fact)) for span in ends)
        ]
        if not entries:
            found.append(unsupported("problem", _SAID_NOWHERE))
        elif fitting:
            found.append(supported("status", fitting[-1:]))
        else:
            found.append(contradicted("status", told(entries[-1]), entries[-1:]))
    return found


def no_problem(node: Node, record: Record) -> list[Outcome]:
    """A problem or finding that is denied: only a statement of its absence supports that."""
    found: list[Outcome] = []
    for condition in conditions(node):
        entries = [fact for fact in record.of(problem_keys(condition), *_KINDS) if _same_side(condition, fact)]
        entries = [fact for fact in entries if not facts.is_family_history(fact)]
        present = [fact for fact in entries if not facts.is_absent(fact)]
        absent = [fact for fact in entries if facts.is_absent(fact)]
        if present:
            found.append(contradicted("negation", told(present[-1]), present[-1:]))
        elif absent:
            found.append(supported("negation", absent[-1:]))
        else:
            found.append(unsupported("negation", "nothing in the record denies it"))
    return found


# --- allergies


def _allergies(record: Record) -> list[ClinicalFact]:
    return [fact for fact in record.of_kind(pb.FACT_KIND_ALLERGY) if not facts.has_ended(fact, record.today)]


def allergy(node: Node, record: Record) -> list[Outcome]:
    """An allergy, and its reaction where one is said."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    named = [inner for each in node.all("regimens|conditions") for inner in _named(each)]
    named += [inner for each in node.all("regimens") for inner in _named(each)]
    return [each for one in named for each in _allergy(one, node.all("reaction"), spans, record)]


def _named(node: Node) -> list[Node]:
    inner = [each for kind in ("regimen", "condition") for each in node.within(kind)]
    return inner or [node]


def _allergy(named: Node, reactions: Sequence[Node], spans: Sequence[Span], record: Record) -> list[Outcome]:
    keys = drug_keys(named) | problem_keys(named)
    entries = [fact for fact in _allergies(record) if names.keys_of(fact) & keys and not facts.is_absent(fact)]
    if not entries:
        return [unsupported("allergy", "the record has no such allergy")]
    if any(not _is_of(entries[-1], span) for span in spans):
        return [contradicted("date", told(entries[-1]), entries[-1:])]
    outcomes = [supported("allergy", entries[-1:])]
    for reaction in reactions:
        said = {part.text.lower() for condition in _named(reaction) for part in condition.within("problem")}
        if all(any(word in entry.note.lower() for entry in entries) for word in said) and said:
            outcomes.append(supported("reaction", entries[-1:]))
        else:
            reason = f"the record has {entries[-1].note}" if entries[-1].note else "the record states no reaction"
            outcomes.append(contradicted("reaction", reason, entries[-1:]) if entries[-1].note else unsupported("reaction", reason))
    return outcomes


def reaction(node: Node, record: Record) -> list[Outcome]:
    """`Anaphylaxis to penicillin in February 2025.`"""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    return [each for regimens in node.all("regimens") for one in _named(regimens)
            for each in _allergy(one, node.all("conditions"), spans, record)]  # fmt: skip


def no_allergy(node: Node, record: Record) -> list[Outcome]:
    """No known allergies: contradicted by any allergy of the record, and by an open contradiction."""
    entries = _allergies(record)
    present = [fact for fact in entries if not facts.is_absent(fact)]
    if present:
        return [contradicted("absence", f"the record has an allergy: {facts.name_of(present[-1])}", present[-1:])]
    stated = [fact for fact in entries if facts.is_absent(fact)]
    return [supported("absence", stated[-1:]) if stated else unsupported("absence", "the record does not say so")]


# --- relatives


def relative(node: Node, record: Record) -> list[Outcome]:
    """A disease of a relative whom the record names."""
    who = next((part.text for part in node.parts if part.text in _RELATIVES), "")
    found: list[Outcome] = []
    for condition in conditions(node):
        keys = problem_keys(condition)
        entries = [fact for fact in record.of(keys) if fact.kind in (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_RESULT)]
        of_family = [fact for fact in entries if facts.is_family_history(fact) or fact.code.code == "10157-6"]
        theirs = [fact for fact in of_family if who in fact.note.lower().split() or who in facts.searchable(fact).lower()]
        if theirs and not node.all("age"):
            found.append(supported("experiencer", theirs[-1:]))
        elif theirs:
            found.append(unsupported("age", "the record does not say at which age"))
        else:
            found.append(unsupported("experiencer", "the record says it of no such relative"))
    return found


_RELATIVES = frozenset(
    ("mother", "father", "sister", "brother", "son", "daughter", "aunt", "uncle", "grandmother", "grandfather", "cousin")
)
NONE_KNOWN = absence
