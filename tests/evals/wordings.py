"""True statements in other words, and inventions: sentences with a word that no typed check knows."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_UP = (
    "crept up", "trended upward", "went higher", "edged up", "worked its way up", "picked up", "mounted", "jumped",
    "moved upward", "advanced", "surged", "shot up", "inched up", "drifted up", "swung upward", "gained ground",
    "leapt", "soared", "ticked up", "spiralled upward",
)  # fmt: skip
_DOWN = (
    "slid", "trended downward", "went lower", "edged down", "worked its way down", "sank", "slipped", "tumbled",
    "moved downward", "came down", "plunged", "shrank", "inched down", "drifted down", "swung downward", "lost ground",
    "dipped", "subsided", "ticked down", "spiralled downward",
)  # fmt: skip
_TAKES = (
    "Receives {}", "Is maintained on {}", "Has been prescribed {}", "Swallows {}", "Is treated with {}", "Stays on {}",
    "Relies on {}", "Regularly gets {}", "Remains under {}", "Is being given {}",
)  # fmt: skip
_LEFT_OFF = (
    "Came off {}", "Ceased {}", "Was taken off {}", "Finished {}", "Quit {}", "Gave up {}", "Abandoned {}",
    "Is rid of {}", "Let go of {}", "Terminated {}",
)  # fmt: skip
_SUFFERS = (
    "Suffers from {}", "Lives with {}", "Carries the label {}", "Has been dealing with {}", "Is affected by {}",
    "Struggles with {}", "Is troubled by {}", "Bears {}", "Experiences {}", "Copes with {}",
)  # fmt: skip
_OVERCAME = (
    "Recovered from {}", "Got over {}", "Is cured of {}", "Overcame {}", "Healed of {}", "Is past {}",
    "Put {} behind", "Shook off {}", "Was relieved of {}", "Conquered {}",
)  # fmt: skip
_STOOD = (
    "came back at", "stood at", "amounted to", "registered", "came out at", "reached", "equalled", "read",
    "was determined as", "turned out as",
)  # fmt: skip
_INVENTED = (
    " because of dehydration", " after a fall at home", " with poor adherence", " as a complication of surgery",
    " due to an infection", ", which caused nausea", " despite a strict diet", " following chemotherapy",
    ", and dialysis is planned", " likely from contrast exposure", ", which worried the family",
    ", with a good prognosis", ", leading to a transfer", " triggered by stress", ", and a biopsy was refused",
    " after a viral illness", ", with marked improvement", ", confirmed by ultrasound", " from excessive alcohol",
    ", and surgery was declined",
)  # fmt: skip
_STATE = re.compile(r"^(?:Problem: )?(.+?)[:,] (active since|stopped on|resolved on) (\S+)\.$")
_TREND = re.compile(r"\b(rose|fell)(?= from\b)")


@dataclass(frozen=True, slots=True)
class Wording:
    """A sentence, and whether it is true of what the statement cites."""

    text: str
    true: bool


def wordings(text: str) -> Iterator[Wording]:
    """Everything that other words make of one rendered sentence."""
    yield from _each(_INVENTED, lambda words: f"{text.rstrip('.')}{words}.", true=False)
    if moved := _TREND.search(text):
        up = moved.group() == "rose"
        yield from _each(_UP, lambda words: _TREND.sub(words, text, count=1), true=up)
        yield from _each(_DOWN, lambda words: _TREND.sub(words, text, count=1), true=not up)
    if " was " in text:
        yield from _each(_STOOD, lambda words: text.replace(" was ", f" {words} ", 1), true=True)
    if state := _STATE.match(text):
        yield from _states(*state.groups())


def _states(named: str, state: str, day: str) -> Iterator[Wording]:
    """Taken or left off, suffered or overcome: said rightly, and the other way round."""
    drug = " mg " in named
    goes_on, over = (_TAKES, _LEFT_OFF) if drug else (_SUFFERS, _OVERCAME)
    name = named[:1].lower() + named[1:] if drug else named
    active = state == "active since"
    yield from _each(goes_on, lambda words: f"{words.format(name)} since {day}.", true=active)
    yield from _each(over, lambda words: f"{words.format(name)} on {day}.", true=not active)


def _each(lists: Sequence[str], put: Callable[[str], str], *, true: bool) -> Iterator[Wording]:
    for words in lists:
        yield Wording(put(words), true)
