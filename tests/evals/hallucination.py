"""`make eval EVAL=hallucination`: what share of the released claims is false or baseless, and how much was said.

Stories with traps go from HL7 through ingestion, imaging, memory and reasoning (their domains, in process) to released
statements; a judge that knows the truth reads the text. `rate`: false or baseless claims of all; `coverage`: rubric
items that a released sentence meets. Beside, on the same stories: the rules alone, random choices among what the
grammar allows instead of the model, all that was drafted without the gate, and (on one story in four) the same network
writing freely, with the gate and without. The traps that were fallen into are named.
"""

from collections.abc import Iterable, Mapping, Sequence

from consult import Model, assess
from grounding import Verifier, decide
from longitude.reasoning.v1 import assessment_pb2 as wire

from tests.evals.episodes import Case, case, play
from tests.evals.pieces import Json, evenly, measured
from tests.evals.players import Engine, at_random, shared
from tests.evals.prose import write
from tests.evals.score import Score, merged
from tests.results import Result

STORIES = 4
# Stories in a piece, whose episodes share the forward passes of the network.
TOGETHER = 8
OURS = "longitude"
_PROSE_OF = 4

# A system's answers: each case with what a physician would be shown.
Answers = list[tuple[Case, list[str]]]


def run(n: int | None, seed: int) -> Result:
    """N stories; every system on all of them, free prose on one in four."""
    count = n or STORIES
    first = seed * 100_000
    scores = merged(measured("hallucination", seed, range(first, first + count), evenly(count, TOGETHER), with_network))
    ours = scores.pop(OURS)
    note = "; ".join(f"{problem} {times}" for problem, times in ours.problems.most_common(5))
    peers = {name: each.figures for name, each in scores.items()}
    return Result("hallucination", ours.figures, count, seed, peers, note)


def with_network(seeds: range) -> Json:
    """A piece of the measurement."""
    return {name: score.to_json() for name, score in measure(seeds, shared()).items()}


def without_network(seeds: range) -> Json:
    return {name: score.to_json() for name, score in measure(seeds, None).items()}


def measure(seeds: range, engine: Engine | None) -> dict[str, Score]:
    """Scores by system. Without an engine only the systems that need no network."""
    cases = [case(each) for each in seeds]
    scores: dict[str, Score] = {}
    for name, answers in _systems(cases, engine).items():
        scores[name] = Score()
        for owner, said in answers:
            scores[name].add(owner.story, said)
    return scores


def _systems(cases: Sequence[Case], engine: Engine | None) -> Mapping[str, Answers]:
    """What each system says about each case."""
    systems = {
        "rules alone": [(each, released(each.prepared.checked)) for each in cases],
        "random among allowed": [(each, released(said)) for each, said in _answers(cases, at_random())],
    }
    if engine is None:
        return systems
    ours = _answers(cases, engine)
    free = cases[::_PROSE_OF]
    prose = list(zip(free, write(free, engine), strict=True))
    return {
        OURS: [(each, released(said)) for each, said in ours],
        **systems,
        "without the gate": [(each, [statement.text for statement in said]) for each, said in ours],
        "free prose": [(each, _gated(each, text)) for each, text in prose],
        "free prose, no gate": [(each, [text]) for each, text in prose],
    }


def released(statements: Iterable[wire.AssessedStatement]) -> list[str]:
    """What a physician is shown as said. Marked questions count: they are shown too."""
    return [each.text for each in statements if each.released]


def _answers(cases: Sequence[Case], model: Model) -> list[tuple[Case, list[wire.AssessedStatement]]]:
    runs = play(cases, model)
    return [(owner, assess(owner.prepared, run.outcome)) for owner, run in zip(cases, runs, strict=True)]


def _gated(owner: Case, text: str) -> list[str]:
    """Free prose, sentence by sentence, against the whole record."""
    verifier = Verifier(owner.prepared.sources)
    sentences = [each.strip() for each in text.replace("\n", ". ").split(". ") if each.strip()]
    kind = wire.STATEMENT_KIND_PROSE
    return [each for each in sentences if decide(kind, verifier.verify_uncited(each)).released]
