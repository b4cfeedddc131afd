"""`make eval EVAL=traps`: the traps of the stories without a network: how far can the worst chooser be led?

A random choice among what the grammar allows takes the model's place, so a thousand stories take minutes. `rate` and
`coverage` as in the hallucination evaluation, which has the network; beside it the rules alone, and every kind of
falsehood by how often it was released.
"""

from tests.evals.hallucination import TOGETHER, without_network
from tests.evals.pieces import evenly, measured
from tests.evals.score import merged
from tests.results import Result

STORIES = 100


def run(n: int | None, seed: int) -> Result:
    """N stories."""
    count = n or STORIES
    first = seed * 100_000
    scores = merged(measured("traps", seed, range(first, first + count), evenly(count, TOGETHER), without_network))
    worst = scores["random among allowed"]
    found = {problem: float(times) for problem, times in worst.problems.most_common(8)}
    peers = {"rules alone": scores["rules alone"].figures}
    return Result("traps", worst.figures | found, count, seed, peers)
