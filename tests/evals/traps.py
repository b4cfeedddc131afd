"""`make eval EVAL=traps`: the traps of the stories without a network: how far can the worst chooser be led?

A random choice among what the grammar allows takes the model's place, so a thousand stories take minutes. `rate` and
`coverage` as in the hallucination evaluation, which has the network; beside it the rules alone, and every kind of
falsehood by how often it was released.
"""

from tests.evals.hallucination import measure
from tests.results import Result

STORIES = 100


def run(n: int | None, seed: int) -> Result:
    """N stories."""
    count = n or STORIES
    scores = measure(range(seed * 100_000, seed * 100_000 + count), None)
    worst = scores["random among allowed"]
    found = {problem: float(times) for problem, times in worst.problems.most_common(8)}
    peers = {"rules alone": scores["rules alone"].figures}
    return Result("traps", worst.figures | found, count, seed, peers)
