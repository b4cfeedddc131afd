"""`make eval EVAL=verifier`: seeded lies about rendered statements, by kind, against grounding's verifier.

True statements are what rules and agents can say about N stories, rendered by grounding. Each lie changes one thing of
one of them so that it is false of its patient, and keeps its citations. `found`: share of lies that are not supported;
`false_alarm`: share of true statements that are not. Beside: a threshold on the words shared with the cited quotations,
set so that it refuses one true statement in a hundred.
"""

import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from grounding import Rendered, Verdict, Verified, Verifier
from longitude.reasoning.v1.assessment_pb2 import STATEMENT_KIND_ABSENCE, Citation

from tests.evals.episodes import Case, case
from tests.evals.lies import LIES, TAKEN
from tests.evals.recombined import false_ones
from tests.evals.sayable import sayable
from tests.results import Result

STORIES = 60


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
    return Result("verifier", figures, count, seed, {"shared words": _peer(tally)})


def measure(seeds: range, seed: int) -> Tally:
    """Verifies every true statement and every lie about it."""
    tally, chance = Tally(), random.Random(f"lies/{seed}")
    before: list[tuple[Case, Rendered]] = []
    for each in seeds:
        owner = case(each)
        verifier = Verifier(owner.prepared.sources)
        said = list(sayable(owner))
        for rendered in said:
            _one(rendered, verifier, tally, chance)
        _of_another_drug(said, verifier, tally)
        _recombined(owner, said, verifier, tally, chance)
        _of_another(said, before, verifier, tally)
        before = [(owner, rendered) for rendered in said]
    return tally


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


def _of_another_drug(sentences: Sequence[Rendered], verifier: Verifier, tally: Tally) -> None:
    """A sentence about one drug, told of each other drug that is in the same record."""
    drugs = sorted({match.lower() for each in sentences for match in TAKEN.findall(each.text.partition("“")[0])})
    for rendered in sentences:
        lead, quote, rest = rendered.text.partition("“")
        named = {match.lower() for match in TAKEN.findall(lead)}
        for other in drugs if len(named) == 1 else ():
            text = TAKEN.sub(other, lead) + quote + rest
            if other not in named and other not in rest:
                _count("another of the drugs", text, rendered.citations, verifier, tally)


def _recombined(
    owner: Case, sentences: Sequence[Rendered], verifier: Verifier, tally: Tally, chance: random.Random
) -> None:
    """Told without citations, as another system would."""
    for text in false_ones(owner.story, [each.text for each in sentences], chance):
        _take("recombined", text, verifier.verify_uncited(text), tally)


def _of_another(
    sentences: Sequence[Rendered], before: list[tuple[Case, Rendered]], mine: Verifier, tally: Tally
) -> None:
    """What is true of the patient before, with this patient's citations of the same kind of statement."""
    own = {_in_any_order(each.text) for each in sentences}
    for _, other in before:
        if other.statement.kind == STATEMENT_KIND_ABSENCE:
            # What one record lacks may be missing in another too.
            continue
        same = [each for each in sentences if each.statement.kind == other.statement.kind]
        if same and _in_any_order(other.text) not in own and not other.statement.passage_ids:
            _count("wrong patient", other.text, same[0].citations, mine, tally)


def _in_any_order(text: str) -> tuple[str, ...]:
    """`Avoid ramipril together with lisinopril` says what `Avoid lisinopril together with ramipril` says."""
    return tuple(sorted(re.findall(r"[\w.]*\w", text.lower())))


def _count(kind: str, text: str, citations: Sequence[Citation], verifier: Verifier, tally: Tally) -> None:
    tally.overlap_false.append(overlap(text, citations))
    _take(kind, text, verifier.verify(text, citations), tally)


def _take(kind: str, text: str, verified: Verified, tally: Tally) -> None:
    tally.lies[kind] += 1
    if verified.verdict is Verdict.SUPPORTED:
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
