"""`make eval EVAL=verifier`: seeded lies about rendered statements, by kind, against grounding's verifier.

True statements are what rules and agents can say about N stories, rendered by grounding. Each lie changes one thing of
one of them so that it is false of its patient, and keeps its citations. `found`: share of lies that are not supported;
`false_alarm`: share of true statements that are not. Beside: a threshold on the words shared with the cited quotations,
set so that it refuses one true statement in a hundred.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from grounding import Rendered, Statement, Verdict, Verifier, render, say
from longitude.ingestion.v1 import clinical_fact_pb2 as clinical
from longitude.reasoning.v1.assessment_pb2 import Citation
from testkit.stories.plan import NEVER_TAKEN

from tests.evals.episodes import Case, case
from tests.results import Result

STORIES = 60
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_VALUE = re.compile(r"(?<![\d-])(\d+(?:\.\d+)?)(?= ?(?:mg/dL|mmol/L|g/dL|%))")
_WRONG_UNIT = {"mg/dL": "umol/L", "mmol/L": "mg/dL", "g/dL": "g/L"}
_RESULTS = ("2160-0", "2823-3", "718-7", "4548-4")

# A lie about a text, or None where the text has nothing of that kind.
Lie = Callable[[str, random.Random], str | None]


@dataclass
class Tally:
    """Lies by kind, found ones by kind, and the share of cited words of each text."""

    lies: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    found: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    missed: list[tuple[str, str]] = field(default_factory=list)
    true: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    overlap_true: list[float] = field(default_factory=list)
    overlap_false: list[float] = field(default_factory=list)


def run(n: int | None, seed: int) -> Result:
    """Rates over all kinds and by kind."""
    count = n or STORIES
    tally = measure(range(seed * 100_000, seed * 100_000 + count), seed)
    lies = sum(tally.lies.values())
    figures = {"found": sum(tally.found.values()) / lies, "false_alarm": len(tally.refused) / tally.true}
    figures |= {f"found, {kind}": tally.found[kind] / tally.lies[kind] for kind in sorted(tally.lies)}
    figures |= {"lies": float(lies), "true statements": float(tally.true)}
    return Result("verifier", figures, count, seed, peers={"shared words": _peer(tally)})


def measure(seeds: range, seed: int) -> Tally:
    """Verifies every true statement and every lie about it."""
    tally, chance = Tally(), random.Random(f"lies/{seed}")
    before: list[tuple[Case, Rendered]] = []
    for each in seeds:
        owner = case(each)
        verifier = Verifier(owner.sources)
        said = list(sayable(owner))
        for rendered in said:
            _one(rendered, verifier, tally, chance)
        _of_another(said, before, verifier, tally)
        before = [(owner, rendered) for rendered in said]
    return tally


def sayable(owner: Case) -> Iterator[Rendered]:
    """The rules' statements, and everything an agent could say of results, drugs, problems and allergies."""
    seen = {each.rendered.text: each.rendered for each in owner.said}
    for statement in _statements(owner):
        rendered = render(statement, owner.sources)
        seen.setdefault(rendered.text, rendered)
    yield from seen.values()


def _statements(owner: Case) -> Iterator[Statement]:
    sources = owner.sources
    builders = {
        clinical.FACT_KIND_MEDICATION: say.medication,
        clinical.FACT_KIND_PROBLEM: say.problem,
        clinical.FACT_KIND_ALLERGY: say.allergy,
    }
    for kind, builder in builders.items():
        yield from (builder(sources, fact.fact_id) for fact in sources.of_kind(kind))
    for loinc in _RESULTS:
        course = [fact.fact_id for fact in sources.series(loinc)]
        if course:
            yield say.latest(sources, course[-1])
        if len(course) > 1:
            yield say.trend(sources, course)


def _one(rendered: Rendered, verifier: Verifier, tally: Tally, chance: random.Random) -> None:
    verified = verifier.verify(rendered.text, rendered.citations)
    tally.true += 1
    tally.overlap_true.append(overlap(rendered.text, rendered.citations))
    if verified.verdict is not Verdict.SUPPORTED:
        tally.refused.append((verified.reason, rendered.text))
        return
    for kind, lie in LIES.items():
        text = lie(rendered.text, chance)
        if text is not None and text != rendered.text:
            _count(kind, text, rendered.citations, verifier, tally)


def _of_another(said: Sequence[Rendered], before: list[tuple[Case, Rendered]], mine: Verifier, tally: Tally) -> None:
    """What is true of the patient before, with this patient's citations of the same kind of statement."""
    own = {each.text for each in said}
    for _, other in before:
        same = [each for each in said if each.statement.kind == other.statement.kind]
        if same and other.text not in own and not other.statement.passage_ids:
            _count("wrong patient", other.text, same[0].citations, mine, tally)


def _count(kind: str, text: str, citations: Sequence[Citation], verifier: Verifier, tally: Tally) -> None:
    tally.lies[kind] += 1
    tally.overlap_false.append(overlap(text, citations))
    if verifier.verify(text, citations).verdict is Verdict.SUPPORTED:
        tally.missed.append((kind, text))
    else:
        tally.found[kind] += 1


def overlap(text: str, citations: Sequence[Citation]) -> float:
    """Share of the text's words that stand in the quotations of what it cites."""
    words = re.findall(r"[\w.]+", text.lower())
    quoted = set(re.findall(r"[\w.]+", " ".join(each.quote for each in citations).lower()))
    return sum(word in quoted for word in words) / max(len(words), 1)


def _peer(tally: Tally) -> dict[str, float]:
    threshold = sorted(tally.overlap_true)[len(tally.overlap_true) // 100]
    refused = sum(each < threshold for each in tally.overlap_true) / len(tally.overlap_true)
    return {
        "found": sum(each < threshold for each in tally.overlap_false) / len(tally.overlap_false),
        "false_alarm": refused,
    }


def _value(text: str, chance: random.Random) -> str | None:
    """One value times a factor that no rounding explains; quotations are left alone."""
    return _at_one(
        _VALUE, text, chance, lambda old: f"{float(old) * chance.choice([0.7, 1.37, 10]):.{_decimals(old)}f}"
    )


def _swap(text: str, _: random.Random) -> str | None:
    """The first two different values of the lead change places: each is true, but not there."""
    found = list(_VALUE.finditer(text.partition("“")[0].partition(";")[0]))
    if len(found) != 2 or found[0].group() == found[1].group():
        return None
    one, other = found
    middle = text[one.end() : other.start()]
    return text[: one.start()] + other.group() + middle + one.group() + text[other.end() :]


def _unit(text: str, chance: random.Random) -> str | None:
    return _at_one(re.compile("|".join(_WRONG_UNIT)), text, chance, _WRONG_UNIT.__getitem__)


def _dose(text: str, chance: random.Random) -> str | None:
    return _at_one(re.compile(r"\b[\d.]+(?= mg (?:Oral|oral))"), text, chance, lambda old: f"{float(old) * 3:g}")


def _day(text: str, chance: random.Random) -> str | None:
    moved = timedelta(days=chance.randint(23, 61))
    return _at_one(_DATE, text, chance, lambda old: (date.fromisoformat(old) + moved).isoformat())


def _laterality(text: str, chance: random.Random) -> str | None:
    return _at_one(re.compile(r"\b(?:left|right)\b"), text, chance, lambda old: "left" if old == "right" else "right")


def _negation(text: str, chance: random.Random) -> str | None:
    if text.startswith("Problem: "):
        return chance.choice([text.replace("Problem: ", "Problem: no "), f"The patient does not have {_named(text)}."])
    if text.startswith("Allergy: "):
        return f"No allergy to {_named(text)}."
    return _at_one(re.compile(r": active\b"), text, chance, lambda _: ": not active")


def _experiencer(text: str, _: random.Random) -> str | None:
    return f"Her mother has {_named(text)}." if text.startswith(("Problem: ", "Allergy: ")) else None


def _drug(text: str, chance: random.Random) -> str | None:
    taken = re.compile(
        r"\b(?:metformin|lisinopril|ramipril|amlodipine|atorvastatin|furosemide|naproxen|ibuprofen)\b", re.IGNORECASE
    )
    return _at_one(taken, text, chance, lambda _: chance.choice(NEVER_TAKEN))


LIES: dict[str, Lie] = {
    "value": _value, "unit": _unit, "dose": _dose, "date": _day, "laterality": _laterality, "negation": _negation,
    "experiencer": _experiencer, "drug": _drug,
    "swapped values": _swap,
}  # fmt: skip


def _named(text: str) -> str:
    """The name in `Problem: <name>, active since ...`: with its own commas, without what is said of it."""
    return re.split(r", (?:active|resolved|reaction|recorded)\b", text.partition(": ")[2])[0].rstrip(".")


def _decimals(number: str) -> int:
    return len(number.partition(".")[2])


def _at_one(pattern: re.Pattern[str], text: str, chance: random.Random, change: Callable[[str], str]) -> str | None:
    """Changes one match outside of quotations."""
    end = text.find("“") if "“" in text else len(text)
    found = [match for match in pattern.finditer(text) if match.end() <= end]
    if not found:
        return None
    match = chance.choice(found)
    return text[: match.start()] + change(match.group()) + text[match.end() :]
