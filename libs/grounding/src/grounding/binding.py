"""Which concept and which day a number, a cue or a date is about, by where they stand.

The rules: a number is about the nearest name before it in its sentence, else the nearest after it, else the last
name of the sentence before. Its day is the next date before the next number; where it has none, a date that opens
the sentence.
"""

from collections.abc import Callable
from dataclasses import dataclass

from terminology.units import TIME_UNITS

from grounding import keys
from grounding.mentions import Cue, CueMention, DateMention, Mention, NameMention, NumberMention, Sentence

# A date behind one of these says when that began.
_STATES = frozenset({Cue.ACTIVE, Cue.ENDED, Cue.ORDERED, Cue.ON_HOLD, Cue.UNRENEWED})


@dataclass(frozen=True, slots=True)
class BoundNumber:
    number: NumberMention
    name: NameMention | None
    day: DateMention | None


def numbers(sentence: Sentence, carried: NameMention | None) -> tuple[BoundNumber, ...]:
    """Each number of the sentence with its concept and day. `carried`: the last name of the sentence before."""
    return tuple(
        BoundNumber(each, nearest_name(sentence, each) or carried, _day_of(sentence, each))
        for each in sentence.mentions
        if isinstance(each, NumberMention)
    )


def nearest_name(
    sentence: Sentence, mention: Mention, wanted: Callable[[NameMention], bool] = lambda _: True
) -> NameMention | None:
    """The nearest name before the mention, else the nearest after it."""
    found = [each for each in _heads(sentence) if wanted(each)]
    before = [each for each in found if each.end <= mention.start]
    return before[-1] if before else next(iter(found), None)


def last_name(sentence: Sentence, carried: NameMention | None) -> NameMention | None:
    """What the next sentence may be about when it names nothing."""
    found = _heads(sentence)
    return found[-1] if found else carried


def _heads(sentence: Sentence) -> list[NameMention]:
    """The names, without a class in brackets behind its drug: `naproxen (NSAID)` is about naproxen."""
    found: list[NameMention] = []
    for each in sentence.mentions:
        if not isinstance(each, NameMention):
            continue
        behind = found and found[-1].is_drug and each.start - found[-1].end == len(" (")
        if not (behind and all(map(keys.is_class, each.keys))):
            found.append(each)
    return found


def free_dates(sentence: Sentence) -> tuple[DateMention, ...]:
    """Dates that belong to no number: they say when something began, ended or was recorded."""
    bound = {each.day for each in numbers(sentence, None) if each.day}
    return tuple(each for each in sentence.mentions if isinstance(each, DateMention) and each not in bound)


def _day_of(sentence: Sentence, number: NumberMention) -> DateMention | None:
    if number.unit in TIME_UNITS or number.unit.endswith("per year"):
        return None
    following = day_after(sentence, number)
    if following is not None:
        return following
    opening = [each for each in sentence.mentions if isinstance(each, DateMention | NumberMention)]
    first = opening[0] if opening else None
    return first if isinstance(first, DateMention) and first.end <= number.start else None


def day_after(sentence: Sentence, mention: Mention) -> DateMention | None:
    """The next date, unless another number, a new name or a word of beginning stands between."""
    for each in sentence.mentions:
        if each.start < mention.end:
            continue
        if isinstance(each, DateMention):
            return each
        if isinstance(each, NumberMention) and each.start - mention.end > 1:
            return None
        if isinstance(each, NameMention) or (isinstance(each, CueMention) and each.cue in _STATES):
            return None
    return None
