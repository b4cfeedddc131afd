"""Problems, findings and relatives' diseases: that they are there, are over, or are denied."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import families
from terminology.concepts import SNOMED
from terminology.loinc import FAMILY_HISTORY, HAEMOGLOBIN, PLATELETS, POTASSIUM, SODIUM
from terminology.problems import of as of_code

from grounding import facts
from grounding import keys as keys_of
from grounding.comparing import levels, meaning, series
from grounding.comparing.meaning import Span
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading import names, wordings
from grounding.reading.grammar import ANTECEDENT
from grounding.reading.nodes import Node

_ENDED = "the record has its end on this day"
_SAID_NOWHERE = "the record has no such entry"
# Roles of the times of an antecedent; its kinds that say when a problem began.
_TIMES = ("when", "on", "first")
# A month is told of one that is a few days longer.
_LOOSE = 1.15
_BEGINNING = frozenset(("event", "elided", "attended"))
_KINDS = (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_IMAGING_FINDING)
# What a family says of a result: the result's LOINC code, and which flag it has.
_BY_RESULT = {
    "hyperkalemia": (POTASSIUM, "high"),
    "hypokalemia": (POTASSIUM, "low"),
    "hyponatremia": (SODIUM, "low"),
    "anemia": (HAEMOGLOBIN, "low"),
    "thrombocytopenia": (PLATELETS, "low"),
}
# What a family says of a treatment that goes on: renal dialysis.
_BY_PROCEDURE = {"dialysis-dependence": f"{SNOMED}|265764009"}
_TREATMENTS = (pb.FACT_KIND_MEDICATION, pb.FACT_KIND_PROCEDURE)
_AWAITING = "awaiting "
# How often something was done, and how lately, that is told as going on.
_REGULAR, LATELY = 2, timedelta(186)
# How long before the visit at which a problem is first seen it may have begun.
_AHEAD = timedelta(15)
_PAST = frozenset({"history", "hx", "past", "had", "pmh", "pmhx", "known", "previous", "h", "was", "post", "p", "were"})
_HISTORY = ("history of ", "past ", "past pregnancy history of ")
# Words that say more than the name: the record must have them too.
_QUALIFIERS = frozenset(
    ("acute", "chronic", "progressive", "new", "stable", "mild", "moderate", "severe", "marked", "slight",
     "significant", "mildly", "moderately", "severely", "recurrent", "persistent", "uncontrolled", "controlled")
)  # fmt: skip
# The same words in records of another language.
_SAME = {
    "acute": frozenset({"acute", "akut", "akute", "akuter", "akutes", "aiguë"}),
    "chronic": frozenset({"chronic", "chronisch", "chronische", "chronischer", "chronisches", "chronique"}),
}
_OVER = frozenset({"resolved", "healed", "ended", "cleared", "settled", "cured", "abated"})
_OPPOSITE = {"acute": "chronic", "chronic": "acute", "mild": "severe", "severe": "mild"}
_STAGES = {"ckd-1": "G1", "ckd-2": "G2", "ckd-3": "G3", "ckd-3a": "G3a", "ckd-3b": "G3b", "ckd-4": "G4", "ckd-5": "G5"}


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
    past = {part.text for part in node.parts} & _PAST
    past |= {part.text for part in node.parts if part.text.lower().startswith(_HISTORY)}
    told_past = bool(past or node.says("past"))
    if node.says("several"):
        return [_several(one, record) for one in conditions(node, "several")]
    return [each for one in conditions(node) for each in _problem(one, spans, node, record, past=told_past)]


def _several(condition: Node, record: Record) -> Outcome:
    """More than one occasion."""
    here = present(condition, record)
    days = {day for fact in here if (day := facts.starts_on(fact))}
    if len(days) > 1:
        return supported("count", here)
    if here:
        return contradicted("count", told(here[-1]), here[-1:])
    return unsupported("problem", _SAID_NOWHERE)


def present(condition: Node, record: Record) -> list[ClinicalFact]:
    """The entries of the patient's own that a phrase names, with the side and the qualifiers that it gives."""
    return [
        fact for fact in _named_by(condition, record) if not facts.is_absent(fact) and _is_qualified(condition, fact)
    ]


def onsets(entries: Sequence[ClinicalFact]) -> list[ClinicalFact]:
    """Entries with which a problem began: none that another name of it, or what it led to, has while it goes on."""
    return [fact for fact in entries if facts.ends_on(fact) or not any(_is_before(each, fact) for each in entries)]


def _is_before(earlier: ClinicalFact, fact: ClinicalFact) -> bool:
    """Whether one entry was open when another, of another concept, began."""
    start, began, end = facts.starts_on(fact), facts.starts_on(earlier), facts.ends_on(earlier)
    if start is None or began is None or facts.keys(earlier) == facts.keys(fact):
        return False
    return began < start and (end is None or end >= start)


def meant(node: Node, condition: Node, record: Record) -> list[ClinicalFact]:
    """The entries that a clause may mean: those of which its antecedent is true as well."""
    here = present(condition, record)
    before = node.one(ANTECEDENT)
    if before is None:
        return here
    spans = [span for role in _TIMES for when in before.all(role) for span in meaning.spans(when, record)]
    began = before.kind in _BEGINNING
    return [fact for fact in here if all(_is_as_told(fact, span, began=began) for span in spans)]


def _is_as_told(fact: ClinicalFact, span: Span, *, began: bool) -> bool:
    return span.includes(facts.starts_on(fact)) if began and span.relation == "on" else is_of(fact, span)


def _named_by(condition: Node, record: Record) -> list[ClinicalFact]:
    family = facts.is_family_history_text(condition.text)
    entries = record.of(problem_keys(condition), *_KINDS)
    entries = tuple(fact for fact in entries if facts.is_family_history(fact) == family)
    return [fact for fact in entries if _same_side(condition, fact)]


def _qualifiers(condition: Node) -> frozenset[str]:
    words = (part.text for part in condition.parts if not part.kinds)
    return frozenset(words) & _QUALIFIERS


def _is_qualified(condition: Node, fact: ClinicalFact) -> bool:
    own = _words_of(fact)
    return all(own & _SAME.get(word, {word}) for word in _qualifiers(condition))


def is_told_of(condition: Node, fact: ClinicalFact) -> bool:
    """Whether the entry has the side and the qualifiers that a phrase gives."""
    return _same_side(condition, fact) and _is_qualified(condition, fact)


def _problem(condition: Node, spans: Sequence[Span], node: Node, record: Record, *, past: bool) -> list[Outcome]:
    entries = _named_by(condition, record)
    here = [fact for fact in present(condition, record) if is_as_stated(fact, node, record)]
    if not here:
        return [_missing(condition, entries, spans, record)]
    if spans:
        return [_of_time(here, spans, record)]
    current = [fact for fact in here if not _over(fact, record) and not is_history(fact)]
    if not current and len(node.parts) == 1 and all(map(is_history, here)) and _is_done(condition):
        return [supported("problem", here[-1:])]
    if not current and not past:
        ended = [fact for fact in here if facts.ends_on(fact) == record.today]
        # On the day of its end it was still there.
        return [unsupported("status", _ENDED) if ended else contradicted("status", told(here[-1]), here[-1:])]
    return [supported("problem", (current or here)[-1:])]


def _is_done(condition: Node) -> bool:
    """Whether the name is that of something that is done: an appendectomy that is told was one."""
    return any(names.PROCEDURE in part.kinds for part in condition.parts)


def _missing(condition: Node, entries: Sequence[ClinicalFact], spans: Sequence[Span], record: Record) -> Outcome:
    opposite = {_OPPOSITE[word] for word in _qualifiers(condition) & _OPPOSITE.keys()}
    for fact in entries:
        if facts.is_absent(fact):
            return contradicted("negation", "the record says that it is absent", [fact])
        if opposite & _words_of(fact):
            return contradicted("qualifier", told(fact), [fact])
    if _qualifiers(condition):
        return unsupported("qualifier", f"the record does not say {', '.join(sorted(_qualifiers(condition)))}")
    keys = problem_keys(condition)
    derived = _by_result(keys, spans, record) or _by_procedure(keys, record)
    return derived or unsupported("problem", _SAID_NOWHERE)


def _by_procedure(keys: Keys, record: Record) -> Outcome | None:
    """Who had a treatment again and again until lately depends on it."""
    for identifier, code in _BY_PROCEDURE.items():
        if names.of_family(identifier) in keys:
            done = record.of(frozenset({code}), pb.FACT_KIND_PROCEDURE)
            days = sorted({day for fact in done if (day := facts.starts_on(fact))})
            if len(days) >= _REGULAR and record.today - days[-1] <= LATELY:
                return supported("event", done[-1:])
    return None


def _of_time(entries: Sequence[ClinicalFact], spans: Sequence[Span], record: Record) -> Outcome:
    if any(span.relation in ("span", "since") for span in spans):
        entries = onsets(entries)
    if any(span.relation == "span" for span in spans):
        return _so_long(entries, spans, record)
    fitting = [fact for fact in entries if all(is_of(fact, span) for span in spans)]
    if not fitting:
        if any(_may_last(fact, spans) for fact in entries):
            return unsupported("date", "the record does not say that it was there at that time")
        return contradicted("date", told(entries[-1]), entries[-1:])
    if any(span.relation in ("since", "now") for span in spans) and all(_over(each, record) for each in fitting):
        return contradicted("status", told(fitting[-1]), fitting[-1:])
    return supported("problem", fitting[-1:])


def _so_long(entries: Sequence[ClinicalFact], spans: Sequence[Span], record: Record) -> Outcome:
    """`For six years`: there since so long before now, or before the day that is said."""
    days = [last for span in spans if span.relation == "on" for _, last in span.readings] or [record.today]
    lengths = [span.length for span in spans if span.relation == "span"]
    for fact in entries:
        start = facts.starts_on(fact)
        if (
            start
            and not _over(fact, record)
            and all(_is_about((day - start).days, each) for day in days for each in lengths)
        ):
            return supported("duration", [fact])
    return unsupported("date", "the record does not say that it was there at that time")


def _may_last(fact: ClinicalFact, spans: Sequence[Span]) -> bool:
    """Whether a problem of which nobody stated an end began before the day that is said."""
    start = facts.starts_on(fact)
    days = [first for span in spans if span.relation == "on" for first, _ in span.readings]
    return start is not None and not facts.has_ended(fact) and any(start < day for day in days)


def is_first_seen(fact: ClinicalFact, day: date, record: Record) -> bool:
    """Whether a problem was new at a visit on this day: began on it, or since the visit before, some days ahead."""
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    if start is None or start > day or (end is not None and end < day):
        return False
    earlier = (seen for each in record.whole.encounters if (seen := facts.starts_on(each)) and seen < day)
    return start == day or max((*earlier, day - _AHEAD)) < start


def is_history(fact: ClinicalFact) -> bool:
    """Whether the entry says that the patient had it, and not that it is there."""
    return any(each.display.lower().startswith(_HISTORY) for each in (fact.code, fact.source_code))


def is_as_stated(fact: ClinicalFact, node: Node, record: Record) -> bool:
    """Whether a start that is told as not stated is none, and the entry was stated on the day that is said."""
    spans = [span for when in node.all("stated") for span in meaning.spans(when, record)]
    if any(span.relation == "since" for span in spans):
        return False
    if not spans and "stated" not in {part.text for part in node.parts}:
        return True
    stated = record.sources.stated_on(fact) or facts.starts_on(fact)
    unstarted = facts.starts_on(fact) is None or "stated" not in {part.text for part in node.parts}
    return unstarted and all(span.includes(stated) for span in spans)


def _same_side(condition: Node, fact: ClinicalFact) -> bool:
    said = {each.says("side") for each in condition.all("side")}
    own = facts.sides(fact)
    return not said or said == own


def _over(fact: ClinicalFact, record: Record) -> bool:
    return facts.has_ended(fact, record.today)


def is_of(fact: ClinicalFact, span: Span) -> bool:
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    match span.relation:
        case "since":
            return span.includes(start)
        case "between":
            return span.is_from_to(start, end)
        case "until":
            return span.includes(end)
        case "now":
            return True
    return start is not None and span.meets(start, end or start)


def active(node: Node, record: Record) -> list[Outcome]:
    """A problem that is told as not over: an entry of it has no end."""
    found: list[Outcome] = []
    for condition in conditions(node):
        here = [fact for fact in meant(node, condition, record) if not is_history(fact)]
        open_ = [fact for fact in here if not _over(fact, record)]
        if open_:
            found.append(supported("status", open_[-1:]))
        elif here:
            found.append(contradicted("status", told(here[-1]), here[-1:]))
        else:
            found.append(unsupported("problem", _SAID_NOWHERE))
    return found


def lasted(node: Node, record: Record) -> list[Outcome]:
    """How long a problem was there, from its start to its end."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    ends = [span for when in node.all("end") for span in meaning.spans(when, record)]
    length = meaning.days(node.all("length")[0])
    most = "within" in {part.text for part in node.parts}
    return [_lasted(one, spans, ends, length, record, most=most) for one in conditions(node)]


def _lasted(
    condition: Node, spans: Sequence[Span], ends: Sequence[Span], length: float, record: Record, *, most: bool
) -> Outcome:
    entries = [fact for fact in present(condition, record) if all(is_of(fact, span) for span in spans)]
    over = [fact for fact in entries if _days_of(fact) and all(span.includes(facts.ends_on(fact)) for span in ends)]
    fitting = [fact for fact in over if _is_about(_days_of(fact), length, most=most)]
    if fitting:
        return supported("duration", fitting[-1:])
    if over and len(over) == len(entries):
        return contradicted("duration", told(over[-1]), over[-1:])
    return unsupported("duration", "the record does not say how long it was there")


def lasted_each(node: Node, record: Record) -> list[Outcome]:
    """Of each of the days that are told before it, that it was over within so long."""
    within = node.one("within")
    length = meaning.days((within or node).all("duration" if within else "length")[0])
    found: list[Outcome] = []
    for condition in conditions(node):
        entries = [fact for fact in present(condition, record) if not is_history(fact)]
        right = [
            fact for fact in entries if facts.ends_on(fact) and _is_about(_days_of(fact), length * _LOOSE, most=True)
        ]
        if entries and len(right) == len(entries):
            found.append(supported("duration", right))
        else:
            found.append(unsupported("duration", "the record does not say how long each was there"))
    return found


def _days_of(fact: ClinicalFact) -> int:
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    return (end - start).days if start and end else 0


def _is_about(actual: int, length: float, *, most: bool = False) -> bool:
    """Lengths of time are told roughly, by a sixth; `within`: at most so long."""
    slack = max(1.0, length / 6)
    return actual <= length + 1 if most else abs(actual - length) <= slack


def told(fact: ClinicalFact) -> str:
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    return (
        f"the record has {facts.name_of(fact)}" + (f" from {start}" if start else "") + (f" until {end}" if end else "")
    )


def _by_result(keys: Keys, spans: Sequence[Span], record: Record) -> Outcome | None:
    """What a flagged result or a computed stage says."""
    for identifier, (loinc, wanted) in _BY_RESULT.items():
        if names.of_family(identifier) in keys:
            points = record.points(frozenset({keys_of.of_loinc(loinc)}))
            chosen = series.within(points, spans, record) if spans else points[-1:]
            if not chosen:
                return None
            levels = {levels.level_of(each) for each in chosen}
            if wanted in levels:
                return supported("level", chosen[-1].facts)
            reason = f"the record has {series.told(chosen[-1])} on {chosen[-1].day}"
            return contradicted("level", reason, chosen[-1].facts)
    return _stage(keys, spans, record)


def _stage(keys: Keys, spans: Sequence[Span], record: Record) -> Outcome | None:
    """A stage as the newest eGFR has it; since when it was so, or at another time, one value does not say."""
    for identifier, stage in _STAGES.items():
        if names.of_family(identifier) in keys:
            newest = [each for each in record.derived if each.label.startswith("G")]
            if not newest or any(span.readings for span in spans):
                return None
            last = max(newest, key=lambda each: each.day)
            used = [record.sources.fact(each) for each in last.fact_ids]
            if last.label == stage or (stage == "G3" and last.label.startswith(stage)):
                return supported("category", used)
            return contradicted("category", f"by the newest eGFR it is {last.label}", used)
    return None


# What is said of every entry.
_EACH = re.compile(r"\b(?:both|all|each)\b")


def resolved(node: Node, record: Record) -> list[Outcome]:
    """A problem that is over."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    ends = [span for when in node.all("end") for span in meaning.spans(when, record)]
    found: list[Outcome] = []
    for condition in conditions(node):
        entries = meant(node, condition, record)
        over = [fact for fact in entries if _over(fact, record)]
        fitting = [
            fact
            for fact in over
            if all(is_of(fact, span) for span in spans) and all(_ended(fact, span) for span in ends)
        ]
        if not entries:
            found.append(unsupported("problem", _SAID_NOWHERE))
        elif fitting and (len(fitting) == len(entries) or not _EACH.search(node.text.lower())):
            found.append(supported("status", fitting[-1:]))
        else:
            found.append(contradicted("status", told(entries[-1]), entries[-1:]))
    return found


def _ended(fact: ClinicalFact, span: Span) -> bool:
    """Whether it ended at a time, or within a length of time from its start."""
    if span.relation == "span":
        return 0 < _days_of(fact) <= span.length + 1
    return span.includes(facts.ends_on(fact))


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


def over(node: Node, record: Record) -> list[Outcome]:
    """A problem that is no longer there, with the time at which it was."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    found: list[Outcome] = []
    for condition in conditions(node):
        entries = meant(node, condition, record)
        active = [fact for fact in entries if not _over(fact, record)]
        if not entries:
            found.append(unsupported("problem", _SAID_NOWHERE))
        elif active:
            found.append(contradicted("status", told(active[-1]), active[-1:]))
        else:
            found += [_of_time(entries, spans, record)] if spans else [supported("status", entries[-1:])]
    return found


def no_record(node: Node, record: Record) -> list[Outcome]:
    """That the record has no such problem: nothing in all of it, its texts included, may speak of the family."""
    found: list[Outcome] = []
    for condition in conditions(node):
        here = present(condition, record)
        name = " ".join(part.text for part in condition.parts if names.PROBLEM in part.kinds)
        if here:
            found.append(contradicted("negation", told(here[-1]), here[-1:]))
        elif families.by_name(name) and not record.mentions(name):
            found.append(supported("negation"))
        else:
            found.append(unsupported("negation", "nothing in the record denies it"))
    return found


def treated_for(node: Node, record: Record) -> list[Outcome]:
    """Treated: a drug or a procedure was ordered at the visit of the problem."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    return [_treated(one, spans, record) for one in conditions(node)]


def _treated(condition: Node, spans: Sequence[Span], record: Record) -> Outcome:
    entries = present(condition, record)
    fitting = [fact for fact in entries if all(is_of(fact, span) for span in spans)]
    days = {facts.starts_on(fact) for fact in fitting} - {None}
    done = [fact for fact in record.of_kind(*_TREATMENTS) if facts.starts_on(fact) in days]
    if done:
        return supported("relation", [*fitting[-1:], *done[-1:]])
    if entries and not fitting:
        return contradicted("date", told(entries[-1]), entries[-1:])
    return unsupported("relation", "the record does not say that it was treated")


def waiting(node: Node, record: Record) -> list[Outcome]:
    """On a waiting list: an entry says so with the name of what is waited for."""
    found: list[Outcome] = []
    for each in (*node.all("conditions"), *node.all("acts")):
        wanted = frozenset(re.findall(r"[a-z]+", each.text.lower())) - {"a", "an", "the"}
        entries = [fact for fact in record.of_kind(pb.FACT_KIND_PROBLEM) if _waits_for(fact, wanted, record)]
        found.append(supported("problem", entries[-1:]) if entries else unsupported("problem", _SAID_NOWHERE))
    return found


def _waits_for(fact: ClinicalFact, wanted: frozenset[str], record: Record) -> bool:
    spoken = (name.lower() for own in facts.names(fact) for name in wordings.spoken(own))
    waits = (name.removeprefix(_AWAITING) for name in spoken if name.startswith(_AWAITING))
    return not _over(fact, record) and any(wanted <= set(name.split()) for name in waits)


# What leads a list of that which goes on.
_PRESENT = frozenset(("active", "current", "ongoing"))


def history(node: Node, record: Record) -> list[Outcome]:
    """A list of what the patient has or had: each entry with its days, and whether it is over."""
    found = [each for entry in _entries(node) for each in _of_entry(*entry, record)]
    if node.parts[0].text not in _PRESENT:
        return found
    done = [unsupported("problem", "what was done is no problem")] if node.all("acts") else []
    return [*found, *done, *active(node, record)]


def _entries(node: Node) -> list[tuple[Node, list[Node], bool]]:
    """What each entry names, its days, and whether it is told as over."""
    found: list[tuple[Node, list[Node], bool]] = []
    days: list[Node] = []
    for part in node.parts:
        if part.kinds & {"conditions", "acts"}:
            found.append((part, days, False))
            days = []
        elif part.kinds & {"when", "days"} and node.says("first"):
            days = [part]
        elif part.kinds & {"when", "days"} and found:
            found[-1] = (found[-1][0], [part], found[-1][2])
        elif part.text in _OVER and found:
            found[-1] = (found[-1][0], found[-1][1], True)
    return found


def _of_entry(what: Node, days: Sequence[Node], over: bool, record: Record) -> list[Outcome]:  # noqa: FBT001
    whens = [when for each in days for when in (each.all("when") if "days" in each.kinds else (each,))]
    found: list[Outcome] = []
    for one in what.within("condition") if "conditions" in what.kinds else what.within("act"):
        here = _here(one, record)
        ended = [fact for fact in here if not over or _over(fact, record)]
        if not here:
            found.append(unsupported("problem", _SAID_NOWHERE))
        elif not ended:
            found.append(contradicted("status", told(here[-1]), here[-1:]))
        elif any(not _on(when, ended, record) for when in whens):
            found.append(contradicted("date", told(ended[-1]), ended[-1:]))
        else:
            found.append(supported("problem", ended[-1:]))
    return found


def _here(one: Node, record: Record) -> list[ClinicalFact]:
    if "condition" in one.kinds:
        return present(one, record)
    keys = meaning.keys(one, names.PROCEDURE, names.IMMUNIZATION)
    return list(record.of(keys, pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_IMMUNIZATION, pb.FACT_KIND_PROBLEM))


def _on(when: Node, entries: Sequence[ClinicalFact], record: Record) -> bool:
    spans = meaning.spans(when, record)
    return any(all(is_of(fact, span) for span in spans) for fact in entries)


# --- relatives


def relative(node: Node, record: Record) -> list[Outcome]:
    """A disease of a relative whom the record names."""
    who = next((part.text for part in node.parts if part.text in _RELATIVES), "")
    return [_relative(condition, who, node.all("age"), record) for condition in conditions(node)]


def _relative(condition: Node, who: str, ages: Sequence[Node], record: Record) -> Outcome:
    theirs = [fact for fact in _of_family(condition, record) if who in _words_of(fact)]
    if not theirs:
        return unsupported("experiencer", "the record says it of no such relative")
    if all(str(meaning.amount(age).value) in _words_of(theirs[-1]) for age in ages):
        return supported("experiencer", theirs[-1:])
    return unsupported("age", "the record does not say at which age")


def family_history(node: Node, record: Record) -> list[Outcome]:
    """A disease of some relative."""
    who = next((part.text for part in node.parts if part.text in _RELATIVES), "")
    if who:
        return [_relative(condition, who, (), record) for condition in conditions(node)]
    found = []
    for condition in conditions(node):
        theirs = _of_family(condition, record)
        missing = unsupported("experiencer", "the record says it of no relative")
        found.append(supported("experiencer", theirs[-1:]) if theirs else missing)
    return found


def _of_family(condition: Node, record: Record) -> list[ClinicalFact]:
    entries = record.of(problem_keys(condition), pb.FACT_KIND_PROBLEM, pb.FACT_KIND_RESULT)
    stated = [fact for fact in entries if not facts.is_absent(fact)]
    return [fact for fact in stated if facts.is_family_history(fact) or fact.code.code == FAMILY_HISTORY]


def _words_of(fact: ClinicalFact) -> frozenset[str]:
    """All words of an entry, and those of the code book for its code."""
    books = " ".join(each.display for code in (fact.code, fact.source_code) if (each := of_code(code)))
    return frozenset(re.findall(r"\w+", f"{facts.searchable(fact)} {books}".lower()))


_RELATIVES = frozenset(
    (
        "mother",
        "father",
        "sister",
        "brother",
        "son",
        "daughter",
        "aunt",
        "uncle",
        "grandmother",
        "grandfather",
        "cousin",
    )
)
