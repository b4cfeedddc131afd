"""`python -m tests.evals.reliability [--n N] [--seed S]`: prints the counts that grounding/reliability.py holds.

A claim that supports is right in a true statement, and wrong where it lets a lie pass. A claim that refuses is right in
a lie and wrong in a true statement, in our words or in others: there are as many true rewordings as false ones.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grounding import Claim, Verdict, Verified, Verifier

from tests.evals.episodes import case
from tests.evals.lies import LIES
from tests.evals.recombined import false_ones
from tests.evals.sayable import sayable
from tests.evals.wordings import wordings

STORIES, SEED = 100, 7
# Rewordings of a statement that are true, and inventions about it.
_REWORDED = 1


@dataclass(frozen=True, slots=True)
class Told:
    """A text with what the verifier found, and whether it is true."""

    verified: Verified
    true: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=STORIES)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    first = asked.seed * 100_000
    for (check, verdict), (right, given) in counts(told(range(first, first + asked.n))).items():
        print(f'    ("{check}", Verdict.{verdict.name}): ({right}, {given}),')


def told(seeds: Iterable[int]) -> Iterator[Told]:
    """Every true statement, every lie about it, both in other words, and lies put together from true statements."""
    for seed in seeds:
        owner, chance = case(seed), random.Random(f"reliability/{seed}")
        verifier = Verifier(owner.prepared.sources)
        said = list(sayable(owner))
        for text in false_ones(owner.story, [each.text for each in said], chance):
            yield Told(verifier.verify_uncited(text), true=False)
        for rendered in said:
            for text, true in [(rendered.text, True), *_about(rendered.text, chance)]:
                yield Told(verifier.verify(text, rendered.citations), true)


def counts(texts: Iterable[Told]) -> dict[tuple[str, Verdict], tuple[int, int]]:
    """(check, verdict) -> how often it was right, and how often given where right and wrong are known."""
    right: Counter[tuple[str, Verdict]] = Counter()
    given: Counter[tuple[str, Verdict]] = Counter()
    for each in texts:
        for claim in each.verified.claims:
            key = (claim.check, claim.verdict)
            given[key] += _counts(claim, each)
            right[key] += _counts(claim, each) and each.true is (claim.verdict is Verdict.SUPPORTED)
    return {key: (right[key], given[key]) for key in sorted(given, key=lambda key: (key[0], key[1]))}


def _counts(claim: Claim, told_text: Told) -> bool:
    """A claim that supports something in a lie that another claim caught is neither right nor wrong."""
    return told_text.true or claim.verdict is not Verdict.SUPPORTED or told_text.verified.verdict is Verdict.SUPPORTED


def _about(text: str, chance: random.Random) -> Iterator[tuple[str, bool]]:
    lies = (lie(text, chance) for lie in LIES.values())
    yield from ((lie, False) for lie in lies if lie is not None and lie != text)
    if "“" not in text:
        others = list(wordings(text))
        for true in (True, False):
            kept = [each.text for each in others if each.true is true]
            yield from ((each, true) for each in chance.sample(kept, min(_REWORDED, len(kept))))


if __name__ == "__main__":
    main()
