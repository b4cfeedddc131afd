"""How a recorded name is spoken: `Sprain of ankle (disorder)` as ankle sprain, sprained ankle, sprains of the ankle.

Guarantee: a wording means the name whole: no word of it that carries meaning is dropped.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import takewhile

from grounding.reading import tables

_COLUMNS = ("relation", "word", "spoken")
_TAG = re.compile(r"\s*\([^()]*\)$")
_UNSPECIFIED = re.compile(r",? unspecified$", re.IGNORECASE)
_MOST_WORDS = 10
_PAIR = 2
# What stands behind one of these says where, of what or by what a thing is; behind the others, what it is not.
BEHIND = frozenset(("of", "in", "on", "due", "caused", "associated", "with", "to", "by", "using", "at", "involving"))
_ENDING = frozenset(("and", "or", "without", "no", "not", "from", "for", "except", "after", "before", "until", "than"))
# Words that may be left out before a thing, since it is one whatever they say.
_OF_KIND_WORDS = """
    acute allergic bacterial bilateral chronic closed diabetic essential facial generalized infectious infective left
    lower major malignant mild minor moderate multiple nonproliferative open perennial persistent primary proliferative
    recurrent right seasonal severe simple single upper viral
"""
OF_KIND = frozenset(_OF_KIND_WORDS.split())
_WHOSE = ("her", "his", "the")
_AUXILIARIES = ("was", "were", "has been", "have been", "had been", "got", "was then")
_AUXILIARY = re.compile(rf" (?:{'|'.join(_AUXILIARIES)})$")
# Who reads the fact knows that it is past.
_HISTORY = "history of "
# `Sprained ankle`, `sprained her ankle`.
_ARTICLES = ("", "the ", "her ", "his ", "an ", "a ")


@lru_cache(maxsize=8192)
def spoken(name: str) -> tuple[str, ...]:
    """Wordings of a name, the name itself not among them."""
    whole = plain(name)
    if not whole or len(whole.split()) > _MOST_WORDS:
        return ()
    spelled = dict.fromkeys(other for one in _spellings(whole) for other in (one, *_spellings(one)))
    every = dict.fromkeys(each for one in spelled for each in (one, *_orders(one)))
    wordings = dict.fromkeys(each for one in every for each in (one, *_plurals(one), *passive(one)))
    return tuple(each for each in wordings if each != name)


def plain(name: str) -> str:
    """Without what terminologies put behind a name."""
    return _UNSPECIFIED.sub("", _TAG.sub("", name)).strip()


def thing(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a name up to what says where or by what it is (`neuropathy` of `neuropathy due to diabetes`), and up
    to what it is not, or how much of it.
    """
    every = re.findall(r"[a-z]+|[0-9]+", plain(name).casefold())
    words = tuple(takewhile(lambda each: each not in _ENDING and each.isalpha(), every))
    return tuple(takewhile(lambda each: each not in BEHIND, words)), words


def plural(name: str) -> str:
    """A name in the plural, by its last word."""
    if name.endswith(("s", "x", "ch", "sh")):
        return name if name.endswith("s") else f"{name}es"
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"


def passive(name: str) -> tuple[str, ...]:
    """What was done to something, as a sentence: `appendix removed` as `appendix was removed`."""
    match = _deed().fullmatch(name)
    return tuple(f"{match[1]} {auxiliary} {match[2]}" for auxiliary in _AUXILIARIES) if match else ()


def object_of(sentence: str) -> str:
    """Of what was done to something that something: `appendix` of `appendix was removed`; empty where there is none."""
    match = _deed().fullmatch(sentence)
    return _AUXILIARY.sub("", match[1]) if match else ""


def noun_of(adjective: str) -> tuple[str, ...]:
    """The words of which this is the adjective (`renal`: kidney), or itself."""
    return _nouns().get(adjective, (adjective,))


@cache
def _nouns() -> dict[str, tuple[str, ...]]:
    return {each: (noun,) for noun, spelled in _table()["adjective"].items() for each in spelled}


def is_deed(word: str) -> bool:
    return any(word in deeds for deeds in _table()["deed"].values())


@cache
def _deed() -> re.Pattern[str]:
    every = {deed for deeds in _table()["deed"].values() for deed in deeds}
    return re.compile(rf"(.+) ({'|'.join(sorted(every))})", re.IGNORECASE)


def _spellings(name: str) -> Iterator[str]:
    """With the words that physicians use for those of a code book."""
    yield name
    if ", and " in name:
        yield name.replace(", and ", " and ")
    if name.lower().startswith(_HISTORY):
        yield name[len(_HISTORY) :]
    for word, others in _table()["word"].items():
        if re.search(rf"\b{re.escape(word)}\b", name, re.IGNORECASE):
            for other in others:
                yield " ".join(re.sub(rf"\b{re.escape(word)}\b", other, name, flags=re.IGNORECASE).split())


def _orders(name: str) -> Iterator[str]:
    """`A of B` as `B A`, `A of the B`, and with what the table gives for A or B as an adjective."""
    where = name.split(" in ")
    if len(where) == _PAIR:
        yield f"{where[1]} {where[0]}"
    if " to " in name:
        yield name.replace(" to ", " to the ")
    parts = name.split(" of ")
    if not 1 < len(parts) <= 3 or not all(parts):
        return
    head, *rest = parts
    for what in (" of ".join(rest), *([f"{rest[1]} {rest[0]}"] if len(rest) > 1 else [])):
        yield f"{what} {head}"
        yield f"{head} of {what}"
        yield from _happened(head.lower(), what)
    yield " of the ".join(parts)
    for adjective in _table()["adjective"].get(rest[0].lower(), ()):
        yield " of ".join([f"{adjective} {head}", *rest[1:]])
        yield " of the ".join([f"{adjective} {head}", *rest[1:]])


def _happened(head: str, what: str) -> Iterator[str]:
    """What happened to a part of the body, or was done to something."""
    for adjective in _table()["participle"].get(head, ()):
        yield from (f"{adjective} {article}{what}" for article in _ARTICLES)
    for verb in _table()["verb"].get(head, ()):
        yield from (f"{verb} {whose} {what}" for whose in _WHOSE)
    for ended in (*_table()["deed"].get(head, ()), *_table()["event"].get(head, ())):
        yield f"{what} {ended}"


def _plurals(name: str) -> Iterator[str]:
    head, of, rest = name.partition(" of ")
    if of:
        yield f"{plural(head)} of {rest}"
    yield plural(name)


@cache
def _table() -> dict[str, dict[str, tuple[str, ...]]]:
    made: dict[str, dict[str, tuple[str, ...]]] = {
        "word": {},
        "participle": {},
        "adjective": {},
        "deed": {},
        "verb": {},
        "event": {},
    }
    for _, row in tables.rows("wordings", _COLUMNS):
        spoken_as = made[row["relation"]]
        spoken_as[row["word"]] = (*spoken_as.get(row["word"], ()), *row["spoken"].split("|"))
    return made
