"""`make eval EVAL=citations`: do the passages that an answer cites answer the question, and are those that do cited?

Questions whose answering passages are known are asked about patients of the stories, through the whole chain: memory's
ranking and relevance, rules, harness with the network, gate. Counted are the passages that released statements cite.
- `precision`, `recall`: every citation. What a rule quotes beside an alert (metformin with an eGFR of 28, whatever was
  asked) is right when it is about that danger; `precision_to_the_question` counts it as right only if it answers.
- `silent`: of the questions that the library cannot answer, those with no evidence cited.
- `by the model`: what the model chose to cite itself, before what a rule said already is dropped.
Beside, on the same questions: a random choice in the model's place, and plain retrieval. The authored set needs nothing
else; those of other authors need `LONGITUDE_CORPUS`.
"""

import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache, partial

from consult import assess, draft_model
from consult.context.relevance import MOST
from harness import Consultation
from longitude.reasoning.v1 import assessment_pb2 as wire
from testkit.stories import story

from tests.evals.chain import library, record_of
from tests.evals.corpora import Collection, collections
from tests.evals.episodes import Case, play
from tests.evals.pieces import Json, evenly, measured
from tests.evals.players import at_random, shared
from tests.evals.questions import ANSWERED, DANGERS, LATER, UNANSWERED, WIDER, Asked
from tests.evals.retrieval import FINDERS, Finder, Found
from tests.evals.tally import AUTHORED, Tallies, Tally, figures, take, tallies
from tests.results import Curve, Result

# Questions of each collection that is not ours.
QUESTIONS = 40
OURS = "longitude"
_TOGETHER = 8
_CONTEXT = 350
_THRESHOLDS = [place / 20 for place in range(20)]


@dataclass(frozen=True, eq=False)
class Item:
    """A question to one collection."""

    collection: Collection
    asked: Asked


def run(n: int | None, seed: int) -> Result:
    """N questions of each collection; all authored ones if N is not given."""
    items = sampled(n, seed)
    pieces = measured("citations", seed, range(len(items)), evenly(len(items), _TOGETHER), partial(in_chain, n, seed))
    systems: dict[str, Tallies] = {}
    for piece in pieces:
        for system, told in piece.items():
            take(systems.setdefault(system, {}), tallies(told))
    systems |= {name: _retrieved(items, finder, at) for name, (finder, at) in FINDERS.items()}
    ours = figures(systems.pop(OURS)) | {"questions": float(len(items))}
    peers = {name: figures(found) for name, found in systems.items()}
    return Result("citations", ours, len(items), seed, peers, curves=_curves(items))


@cache
def sampled(n: int | None, seed: int) -> tuple[Item, ...]:
    """The same for every process."""
    authored = {AUTHORED: (*ANSWERED, *UNANSWERED), "wider": WIDER, "later": LATER}
    mine = [Collection(name, library(), questions) for name, questions in authored.items()]
    sizes = [(each, n or len(each.questions)) for each in mine] + [(each, n or QUESTIONS) for each in collections()]
    return tuple(Item(each, asked) for each, count in sizes for asked in _some(each.questions, count, seed))


def _some(questions: tuple[Asked, ...], count: int, seed: int) -> list[Asked]:
    return random.Random(f"citations/{seed}").sample(questions, min(count, len(questions)))


def in_chain(n: int | None, seed: int, places: range) -> Json:
    """A piece of the measurement: our tallies by system and collection."""
    items = [sampled(n, seed)[place] for place in places]
    cases = [case_of(item, seed * 100_000 + place) for item, place in zip(items, places, strict=True)]
    systems: dict[str, Tallies] = {}
    for owner, item, run_ in zip(cases, items, play(cases, shared()), strict=True):
        _count(systems, item, assess(owner.prepared, run_.outcome))
        _add(systems, "by the model", item, _chosen(owner, run_))
    for owner, item, run_ in zip(cases, items, play(cases, at_random()), strict=True):
        cited = citations(assess(owner.prepared, run_.outcome))
        _add(systems, "random among allowed", item, [each for each, _ in cited], accepted(cited))
    return {system: {name: asdict(each) for name, each in told.items()} for system, told in systems.items()}


def case_of(item: Item, seed: int) -> Case:
    """The question, asked about the patient of a story."""
    told = replace(story(seed), question=item.asked.question)
    held = item.collection.passages
    return Case(told, record_of(told, _CONTEXT, held), _CONTEXT, held)


def _count(systems: dict[str, Tallies], item: Item, statements: list[wire.AssessedStatement]) -> None:
    cited = citations(statements)
    ids = [each for each, _ in cited]
    _add(systems, OURS, item, ids, accepted(cited))
    _add(systems, "to the question alone", item, ids)


def citations(statements: Iterable[wire.AssessedStatement]) -> list[tuple[str, str]]:
    """Passages that released statements cite, each with who cites it."""
    shown = [each for each in statements if each.released]
    return [(cited.passage_id, each.author_name) for each in shown for cited in each.citations if cited.passage_id]


def accepted(cited: Iterable[tuple[str, str]]) -> frozenset[str]:
    return frozenset(passage for passage, rule in cited if passage in DANGERS.get(rule, set()))


def _chosen(owner: Case, run_: Consultation) -> list[str]:
    """What the model cites, before repetitions of the rules are dropped and after objections."""
    prepared = owner.prepared
    made = draft_model(run_.outcome, prepared.after(run_.outcome), prepared.inputs)
    return [
        passage
        for each in made
        if each.rendered.statement.kind == wire.STATEMENT_KIND_EVIDENCE and not each.objection
        for passage in each.rendered.statement.passage_ids
    ]


def _add(
    systems: dict[str, Tallies], system: str, item: Item, cited: Iterable[str], accepted: frozenset[str] = frozenset()
) -> None:
    tally = systems.setdefault(system, {}).setdefault(item.collection.name, Tally())
    tally.add(item.asked, cited, accepted)


def _retrieved(items: Iterable[Item], finder: Finder, threshold: float) -> Tallies:
    """What a plain retriever cites: its best two above the threshold, as many as memory gives."""
    counted: Tallies = {}
    for item in items:
        cited = [passage for passage, score in _found(finder, item)[:MOST] if score >= threshold]
        counted.setdefault(item.collection.name, Tally()).add(item.asked, cited)
    return counted


@cache
def _found(finder: Finder, item: Item) -> Found:
    return finder(item.asked.question, item.collection.passages)


def _curves(items: tuple[Item, ...]) -> dict[str, Curve]:
    """Precision over recall by collection, from the strictest threshold to the mildest."""
    curves = {}
    for collection in dict.fromkeys(item.collection.name for item in items):
        mine = [item for item in items if item.collection.name == collection]
        lines = {name: [_point(mine, finder, at) for at in _THRESHOLDS] for name, (finder, _) in FINDERS.items()}
        curves[collection] = Curve("recall", "precision", lines)
    return curves


def _point(items: Iterable[Item], finder: Finder, threshold: float) -> tuple[float, float]:
    (tally,) = _retrieved(items, finder, threshold).values()
    return tally.figures["recall"], tally.figures["precision"]
