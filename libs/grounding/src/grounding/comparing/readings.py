"""What a phrase says of results: each value with its result, its flag and its time, each found in one place.

A day behind several values is the day of each that has no own (`Na 139 and K 5.6 on 5 October`); an arrow or `vs` stops
that, since what stands before it is of another time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from grounding.comparing import meaning
from grounding.comparing.meaning import UnclearError
from grounding.reading import tokens
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

_VALUES = frozenset({"value", "pair"})
_SUBJECTS = frozenset({"obs", "bp"})
_NOW = frozenset({"now", "today", "currently", "presently"})
_PAST = frozenset({"was", "were", "had", "reached", "came", "stood"})
_PRESENT = frozenset({"is", "are", "remains", "remain", "stands"})
ARROWS = frozenset({"->", "→", "⇒", "then"})
_OTHER_TIME = frozenset({"vs", "versus"})
_BARRIERS = ARROWS | {"vs", "versus", "but"}


@dataclass(frozen=True)
class Reading:
    """One value. `before`: times that stand before it, and so may limit what a superlative is taken of."""

    subject: Node
    value: Node
    flags: tuple[Node, ...] = ()
    before: tuple[Node, ...] = ()
    behind: tuple[Node, ...] = ()
    # The word or mark between the value before and this one.
    joined: str = ""
    is_past: bool = False
    is_present: bool = False

    @property
    def whens(self) -> tuple[Node, ...]:
        return (*self.before, *self.behind)


def readings(node: Node) -> list[Reading]:
    """The values of the results in a phrase, in their order."""
    found = [each for result in results_in(node) for each in of_result(result)]
    return _with_days(found)


def results_in(node: Node) -> Iterator[Node]:
    if "result" in node.kinds:
        yield node
    else:
        yield from node.within("result")


def of_result(result: Node) -> Iterator[Reading]:
    subjects = [part for part in result.parts if part.kinds & _SUBJECTS]
    values = [place for place, part in enumerate(result.parts) if part.kinds & _VALUES]
    if len(subjects) > 1 and len(subjects) != len(values):
        raise UnclearError("which value belongs to which result")
    for number in range(len(values)):
        subject = subjects[number] if len(subjects) > 1 else subjects[0]
        yield _one(result.parts, values, number, subject)


def _one(parts: Sequence[Node], values: Sequence[int], number: int, subject: Node) -> Reading:
    """The value of a place with what stands around it."""
    place = values[number]
    end = values[number + 1] if number + 1 < len(values) else len(parts)
    start = values[number - 1] + 1 if number else 0
    ahead, after = parts[start:place], parts[place + 1 : end]
    behind = _behind(after, last=end == len(parts))
    before = [part for part in ahead if is_when(part)]
    if number:
        before = before[len(_behind(ahead, last=False)) :]
    words = {part.text for part in ahead if not part.kinds}
    joined = next((part.text for part in ahead if not part.kinds), "") if number else ""
    flags = tuple(part for part in after if "flag" in part.kinds)
    present = bool(words & (_PRESENT | _NOW))
    past = bool(words & _PAST) and not present
    past = past or joined in _OTHER_TIME or bool({part.text for part in after} & ARROWS)
    return Reading(subject, _in_unit(parts[place], parts), flags, tuple(before), tuple(behind), joined, past, present)


def _in_unit(value: Node, parts: Sequence[Node]) -> Node:
    """A value without a unit in the one that stands behind the name (`Creatinine (mg/dL): 1.2`)."""
    unit = next((str(part.value) for part in parts if tokens.UNIT in part.kinds), "")
    if not unit or "value" not in value.kinds or meaning.amount(value).unit:
        return value
    return replace(value, value=Amount(meaning.amount(value).value, unit))


def _behind(after: Sequence[Node], *, last: bool) -> list[Node]:
    """The times directly behind a value, or its flag; of the last one all that follow."""
    found: list[Node] = []
    for part in after:
        if is_when(part):
            found.append(part)
        elif not last and "flag" not in part.kinds:
            break
    return found


def is_when(part: Node) -> bool:
    return not part.kinds.isdisjoint(("when", "dated")) or (not part.kinds and part.text in _NOW)


def _is_of_admission(subject: Node) -> bool:
    return subject.says("time") == "admission" or any(map(_is_of_admission, subject.parts))


def _with_days(made: list[Reading]) -> list[Reading]:
    """The days behind several values, then those before several."""
    for place in range(len(made) - 2, -1, -1):
        after = made[place + 1]
        is_dated = bool(made[place].whens) or _is_of_admission(made[place].subject)
        if not is_dated and not after.before and after.joined not in _BARRIERS:
            made[place] = replace(made[place], behind=after.behind)
    for place in range(1, len(made)):
        if not made[place].whens and not made[place - 1].behind and made[place].joined not in _BARRIERS:
            made[place] = replace(made[place], before=made[place - 1].before)
    return made
