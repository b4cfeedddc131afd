"""How a question was understood, for who asked it: what it is about, what it asks, and which words were not read.

A word is read where it belongs to a name, asks something by itself, or is said by what stands in front of the answer.
"""

import calendar
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from grounding import Sources
from longitude.reasoning.v1 import assessment_pb2 as wire

from consult.answering import Form, Inquiry, inquire
from consult.context.relevance import terms

_WORD = re.compile(r"[a-z0-9]+")
# Words that ask for nothing, so that nothing is missing where they are not read.
_ASIDE = frozenset(
    _WORD.findall(
        "again anyway being check checked doing done else exactly few get gets getting goes going happen happened "
        "having hello hour hours instead just kindly know lines list looked next ok okay particular plan please really "
        "regarding right saw still thank thanks thing things today together tomorrow tonight two useful want wants "
        "week weeks well yes yesterday"
    )
)
_MONTHS = frozenset(name.casefold() for name in (*calendar.month_name, *calendar.month_abbr) if name)
# No record: what a word says by itself.
_NOTHING = Sources.of(datetime(2000, 1, 1, tzinfo=UTC), ())


def understood(question: str, inquiry: Inquiry, checked: Iterable[wire.AssessedStatement]) -> wire.Inquiry:
    """`checked`: what the rules said, after the gate."""
    shown = terms(" ".join(each.text for each in checked if each.front))
    return wire.Inquiry(about=_about(inquiry), forms=_forms(inquiry), unread=_unread(question, inquiry, shown))


def _about(inquiry: Inquiry) -> Iterator[str]:
    """The names of the question, then the areas of medicine that they do not say already."""
    named = [each.text for each in inquiry.mentions]
    said = terms(" ".join(named))
    wider = (each.id.replace("-", " ") for each in inquiry.areas)
    yield from dict.fromkeys([*named, *(each for each in wider if not terms(each) <= said)])


def _forms(inquiry: Inquiry) -> Iterator[str]:
    return (form.value for form in Form if inquiry.asks(form))


def _unread(question: str, inquiry: Inquiry, shown: frozenset[str]) -> Iterator[str]:
    """Once each, in the order of the question."""
    for word in dict.fromkeys(_WORD.findall(question.casefold())):
        left = terms(word) & (inquiry.stems - shown)
        if left and word not in _ASIDE and not (_is_of_a_day(word, inquiry) or _asks(word)):
            yield word


def _is_of_a_day(word: str, inquiry: Inquiry) -> bool:
    return bool(inquiry.days) and (word.isdigit() or word in _MONTHS)


def _asks(word: str) -> bool:
    alone = inquire(word, _NOTHING)
    return bool(alone.forms or alone.areas or alone.mentions or alone.days)
