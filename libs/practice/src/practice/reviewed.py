"""Tasks out of reviews: what a physician kept is wanted, what was taken out is not, what was added was missing.

An episode of the editor holds its candidates, and its review says what became of each that was shown; so that nothing
else of the record is needed. What was added counts where it is the text of a candidate: other words of a physician are
known by no id, and nothing is learned from likeness.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Protocol

from consult.rewards import Item
from harness import SELECT, parse
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.episode_pb2 import Candidate, Episode
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed
from training.tasks import WEIGHTS, Task, known_of, shown

# What a statement that was taken out weighs, as a row of the rubric.
_REMOVED = -5.0


class Sample(Protocol):
    """An episode, and the review of its assessment, each serialised; as the service `learning` gives them."""

    @property
    def episode_id(self) -> str: ...
    @property
    def episode(self) -> bytes: ...
    @property
    def review(self) -> bytes | None: ...


def tasks(samples: Iterable[Sample]) -> Iterator[Task]:
    """Of those that an editor took part in and a physician reviewed. EpisodeTamperedError."""
    for sample in samples:
        episode = parse(sample.episode)
        if sample.review is not None and episode.inputs.flow == SELECT.name:
            made = task_of(sample.episode_id, episode, AssessmentReviewed.FromString(sample.review).statements)
            if made:
                yield made


def task_of(name: str, episode: Episode, statements: Sequence[wire.ReviewedStatement]) -> Task | None:
    """What was asked in the episode, with what is right by the review. None where that is not known: of something that
    was shown the review does not say what became of it, or nothing was judged.
    """
    candidates, shown_ = episode.inputs.candidates, _shown(episode)
    judged = _judged(episode, shown_, statements)
    items = _items(candidates, judged, _added(statements))
    if not items or any(candidates[place].fact_ids for place in shown_ - judged.keys()):
        return None
    facts = [frozenset(each.fact_ids) for each in candidates]
    known = known_of(items, facts)
    offered = tuple(shown(each.fact_ids, wire.STATEMENT_KIND_UNSPECIFIED, known) for each in candidates)
    front = tuple(each for each, own in zip(offered, candidates, strict=True) if own.front or own.mandatory)
    return Task(name, name, episode.inputs, episode.steps[0].at.ToDatetime(tzinfo=UTC), offered, front, known)


def _shown(episode: Episode) -> set[int]:
    """Places from 0 of the candidates that stood in front: what the editor chose, else what rules showed."""
    candidates = enumerate(episode.inputs.candidates)
    chosen = set(_chosen(episode).values())
    return chosen | {place for place, each in candidates if each.mandatory or (each.front and not chosen)}


def _judged(episode: Episode, shown_: set[int], statements: Sequence[wire.ReviewedStatement]) -> dict[int, bool]:
    """By place, in the order of the review, whether the physician left it. Several that are told together have one
    fate.
    """
    candidates, chosen = episode.inputs.candidates, _chosen(episode)
    judged: dict[int, bool] = {}
    for one in statements:
        own = [place for place in shown_ if _is_told_in(candidates[place].text, one.original)]
        own += [chosen[one.episode_step]] if one.episode_step in chosen else []
        judged |= dict.fromkeys(sorted(own), one.decision != wire.REVIEW_DECISION_REJECTED)
    return judged


def _is_told_in(text: str, statement: str) -> bool:
    """Alone, or as one of several."""
    return text.rstrip(".").casefold() in statement.casefold()


def _chosen(episode: Episode) -> dict[int, int]:
    """By the step of a turn the place of the candidate that it chose, as the guard let it through."""
    chosen: dict[int, int] = {}
    turn = 0
    for step in episode.steps:
        if step.HasField("turn"):
            turn = step.index
        elif step.decision.action.HasField("show"):
            chosen[turn] = step.decision.action.show.number - 1
    return chosen


def _added(statements: Sequence[wire.ReviewedStatement]) -> frozenset[str]:
    """Texts that were put in where the draft had nothing."""
    spans = (span for one in statements for span in one.spans)
    return frozenset(each.replacement.strip() for each in spans if each.judgement == wire.JUDGEMENT_ADDED)


def _items(candidates: Sequence[Candidate], judged: Mapping[int, bool], added: frozenset[str]) -> list[Item]:
    """What was kept and what was added in order, then what was removed, less what a kept one says too."""
    kept = [place for place, was_kept in judged.items() if was_kept]
    missing = [place for place, each in enumerate(candidates) if each.text in added and place not in judged]
    wanted = [place for place in (*kept, *missing) if candidates[place].fact_ids]
    said = {fact_id for place in wanted for fact_id in candidates[place].fact_ids}
    removed = [candidates[place] for place, was_kept in judged.items() if not was_kept]
    return [
        *(_item(candidates[place], weight) for place, weight in zip(wanted, WEIGHTS, strict=False)),
        *(_item(each, _REMOVED) for each in removed if each.fact_ids and said.isdisjoint(each.fact_ids)),
    ]


def _item(candidate: Candidate, weight: float) -> Item:
    return Item(candidate.text, weight, frozenset(candidate.fact_ids))
