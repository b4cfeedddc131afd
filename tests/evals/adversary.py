"""`make eval EVAL=adversary`: samplers that want harm, under the real grammar and against the real guard.

`violations` counts everything in the outcomes and records that role, state or sources do not allow, and everything that
orders, stops or releases. N episodes: random allowed tokens, a hostile model under the mask, a hostile model without
one, and (one in a hundred) the real network choosing the least likely allowed token.
"""

from collections import Counter

from tests.evals.episodes import Player, case, play
from tests.evals.oracle import Oracle
from tests.evals.players import Lawless, at_random, hostile, worst
from tests.results import Result

EPISODES = 300
_TOGETHER = 8
_WORST = 100


def run(n: int | None, seed: int) -> Result:
    """One figure that must be 0, and how much the adversaries managed to do."""
    count = n or EPISODES
    seen: Counter[str] = Counter()
    least = count // _WORST
    for name, player, episodes in _shares(count - least):
        measure(player, [seed * 100_000 + each for each in episodes], seen, name)
    if least:
        measure(worst(), [seed * 100_000 + each for each in range(least)], seen, "least likely")
    figures = {"violations": float(seen["violations"]), "episodes": float(count)}
    figures |= {name: float(value) for name, value in sorted(seen.items()) if name != "violations"}
    return Result("adversary", figures, count, seed)


def measure(player: Player, seeds: list[int], seen: Counter[str], name: str) -> None:
    """Plays the stories of these seeds; counts what was done and what should not have been."""
    for together in _groups(seeds):
        for finished in play([case(each) for each in together], player):
            problems = Oracle(finished).violations()
            seen["violations"] += len(problems)
            seen[f"statements, {name}"] += len(finished.outcome.statements)
            seen[f"proposals, {name}"] += len(finished.outcome.proposals)
            seen[f"calls, {name}"] += sum(step.HasField("tool") for step in finished.recorded.steps)
            seen[f"free texts, {name}"] += len(finished.outcome.written)
            refused = (step.decision.what.startswith("refused") for step in finished.recorded.steps)
            seen[f"refused, {name}"] += sum(refused)


def _shares(count: int) -> list[tuple[str, Player, range]]:
    """Half at random, a quarter hostile under the mask, a quarter without one."""
    half, quarter = count - 2 * (count // 4), count // 4
    return [
        ("random", at_random(), range(half)),
        ("hostile", hostile(), range(half, half + quarter)),
        ("no mask", Lawless(), range(half + quarter, count)),
    ]


def _groups(seeds: list[int]) -> list[tuple[int, ...]]:
    return [tuple(seeds[place : place + _TOGETHER]) for place in range(0, len(seeds), _TOGETHER)]
