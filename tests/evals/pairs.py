"""`python -m tests.evals.pairs --out FILE`: the pairs that the verifier's model is trained, calibrated and reported on.

From the stories: true statements and lies about them, in our words and in others, with the words of what they cite. As
found, where LONGITUDE_CORPUS is set: scifact, medhallu and medec. Seeds and hashes are fixed: of the same corpora it
makes the same file.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from entailment.pairs import REFUTED, Pair, Part, part_of, write
from grounding import Sources, Verifier, evidence
from grounding.cited import Cited
from grounding.spans import sentences
from longitude.reasoning.v1.assessment_pb2 import Citation

from tests.evals import asfound
from tests.evals.episodes import Case, case
from tests.evals.lies import LIES
from tests.evals.sayable import sayable
from tests.evals.wordings import wordings

# Stories of their own: the evaluations count from seed * 100,000.
FIRST_STORY = 50_000_000
STORIES = 120
# How many sentences of a kind and label are taken from one story; of the others one.
LIES_KEPT = 0.25
PER_STORY = {"true": 7, "invented": 6, "direction": 4, "state": 6, "result": 2}
_EITHER = frozenset({"experiencer", "drug", "brand"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=STORIES)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    pairs = [*of_stories(asked.stories), *asfound.pairs()]
    write(pairs, asked.out)
    for (origin, part, label), count in sorted(Counter((each.origin, each.part, each.label) for each in pairs).items()):
        print(f"{origin:12} {part:10} {label:12} {count:6}")


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence with what its statement cites, and the label of the pair that it makes."""

    text: str
    citations: tuple[Citation, ...]
    label: str
    origin: str
    kind: str


def of_stories(count: int, first: int = FIRST_STORY) -> Iterator[Pair]:
    """`stories`: our own wording. `wordings`: other words, where the typed checks leave the sentence open."""
    for seed in range(first, first + count):
        chance = random.Random(f"pairs/{seed}")
        owner, part = case(seed), part_of(f"story/{seed}")
        verifier = Verifier(owner.sources)
        for said in _some([*_of_case(owner, part, chance)], chance):
            pair = _pair(said, part, owner.sources, verifier)
            if pair is not None:
                yield pair


def _some(said: list[_Said], chance: random.Random) -> Iterator[_Said]:
    """As many of each kind and label as PER_STORY says."""
    chance.shuffle(said)
    taken: Counter[tuple[str, str, str]] = Counter()
    for each in said:
        taken[each.origin, each.kind, each.label] += 1
        if taken[each.origin, each.kind, each.label] > PER_STORY.get(each.kind, 1):
            continue
        if each.kind in PER_STORY or chance.random() < LIES_KEPT:
            yield each


def _pair(said: _Said, part: Part, sources: Sources, verifier: Verifier) -> Pair | None:
    """With the evidence as it is served; None for other words that the typed checks decide themselves."""
    if said.origin == "wordings":
        left = verifier.verify(said.text, said.citations).open
        shown = left[0].pair.evidence if left else ""
    else:
        shown = evidence.of(said.text, Cited.of(sources, said.citations).facts, ())
    return Pair(said.text, shown, said.label, said.origin, said.kind, part) if shown else None


def _of_case(owner: Case, part: Part, chance: random.Random) -> Iterator[_Said]:
    for rendered in sayable(owner):
        for span in sentences(rendered.text.partition("“")[0].strip()):
            yield from _of_sentence(span.of(rendered.text), rendered.citations, part, chance)


def _of_sentence(sentence: str, cited: tuple[Citation, ...], part: Part, chance: random.Random) -> Iterator[_Said]:
    yield _Said(sentence, cited, "supported", "stories", "true")
    for kind, lie in LIES.items():
        text = lie(sentence, chance)
        if text is not None and text != sentence:
            label = REFUTED if kind in _EITHER else "unsupported" if kind == "hedging" else "contradicted"
            yield _Said(text, cited, label, "stories", kind)
    for each in wordings(sentence):
        if each.part is part:
            label = "supported" if each.true else "unsupported" if each.kind == "invented" else "contradicted"
            yield _Said(each.text, cited, label, "wordings", each.kind)


if __name__ == "__main__":
    main()
