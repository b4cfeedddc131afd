"""A sentence to tokens: names, dates, numbers with units, quotations; every other word and mark as it stands.

Guarantee: each character that is no space is in exactly one token. A character that no clinical text needs (a letter of
another alphabet, an invisible one, a digit in a circle) makes a token that no production takes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import chain

from terminology import units

from grounding import lexicon, relations
from grounding.lexicon import Names
from grounding.reading import dates, names, tables
from grounding.reading.loose import Loose
from grounding.reading.nodes import Node
from grounding.reading.patterns import TOKEN
from grounding.statements import METHODS

NUMBER, QUANTITY, DURATION, PAIR, DATE = "number", "quantity", "duration", "pair", "date"
SCORE = "score"
UNIT = "unit"
QUOTE, TITLE, CROSSED = "quote", "title", "crossed"
_UNIT = "|".join(re.escape(spelling) for spelling in units.PROSE)
_DIGITS = r"[0-9]+(?:[.,][0-9]+)*"
_PAIR = re.compile(
    r"(?<![\w.,/])(?P<first>[0-9]{2,3}(?:\.[0-9])?|[0-9]\.[0-9])\s?/\s?(?P<second>[0-9]{1,3}(?:\.[0-9])?)(?![\w/]|\.[0-9])(?:\s?(?P<unit>mm\s?\[?Hg\]?)(?!\w))?",
    re.IGNORECASE,
)
# `5 ft 11 in`, `5'11"`: feet and inches.
_FEET = re.compile(
    r"(?<![\w.,/])(?P<feet>[3-7])\s?(?:ft\.?|feet|foot|'|’)\s?(?:and )?"
    r"(?P<inches>(?:1[01]|[0-9])(?:\.[0-9])?)\s?(?:inches|in\b\.?|\"|”|'')"
)
# A score and its maximum: `4/10`, `18 out of 27`.
_SCORE = re.compile(
    r"(?<![\w.,/-])(?P<first>[0-9]{1,3})\s?(?:/|out of(?: a possible)?)\s?(?P<most>[0-9]{1,3})(?![\w/%]|[.,][0-9])"
)
_LEAST_MOST = 3
# The unit of the values that follow, directly behind a name, which is taken already: `Creatinine (mg/dL)`.
_UNIT_BEHIND = re.compile(
    rf"(?<=\0)\s?(?:\((?:in )?(?P<told>{_UNIT})\)|, (?P<listed>{_UNIT})(?=\s?[:|=])|(?P<bare>{_UNIT})(?=\s?[:|=]))",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    rf"(?<![\w.,/^])(?P<sign>(?<=[\s(])[-−](?=[0-9]))?(?P<number>{_DIGITS}|\.[0-9]+)(?:(?:\s?|-)(?:[x×]\s?(?=10[*^]))?(?P<unit>{_UNIT})(?!\w|[.,][0-9]))?(?!\w|[.,][0-9])|"
    rf"(?<![\w.,/^])(?P<listed>{_DIGITS})(?=[.,](?:\s|$))",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_COMMA = re.compile(r"[0-9]+,[0-9]{1,2}")
_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
NUMBERS = {**{word: number for number, word in enumerate(_WORDS)}, **_TENS}
_SPELLED = "|".join([*NUMBERS, "hundred", "thousand"])
_DIGIT = "|".join(_WORDS[:10])
_IN_WORDS = re.compile(
    rf"(?<![\w-])(?P<number>(?:(?:{_SPELLED})(?:[ -](?:and )?(?=(?:{_SPELLED})(?!\w)))?)+)"
    rf"(?:[ -](?P<unit>{_UNIT})(?!\w))?(?!\w)",
    re.IGNORECASE,
)
_POINT = re.compile(
    rf"(?<![\w-])(?P<whole>{'|'.join(NUMBERS)}) point (?P<part>(?:(?:{_DIGIT})\s?)+?)(?:\s(?P<unit>{_UNIT}))?(?!\w)",
    re.IGNORECASE,
)
_AGE = re.compile(r"(?<![\w.,/^])(?P<number>[0-9]{1,3})(?P<unit>)(?=(?:yo)?[FM](?:\s|,|$))")
_QUOTED = re.compile(r'“([^”]+)”|"([^"]+)"')
# What a text may hold beside ASCII: accents, typographic quotes and dashes, signs of measurement, arrows.
_KNOWN = re.compile(r"[\x20-\x7e\sÀ-ÖØ-öø-ÿ“”‘’„–—−•·…°±×÷µμ²³½≤≥≈→←↑↓⇒§®™\u00a0\u202f\u2009]*")
_ION = 2
# Names that sentences use for something else.
RESERVED = frozenset(row["word"] for _, row in tables.rows("reserved", ("word",)))
_NONE: frozenset[str] = frozenset()
# The thousand of `7.2 K/uL`, which is no potassium.
_THOUSANDS_OF = "k/ul"
_DRUGS = frozenset({names.DRUG, names.CLASS})
# What is done, and shares a word with others of a list.
_DONE = frozenset({names.PROCEDURE})
_NOUN = r"(?P<noun>therapy|tests?|x-rays?|screening|screens?|cultures?|referrals?|examinations?|counselling|counseling)"
_NEXT = r"(?:, [A-Za-z][\w-]*)*,? (?:and|or) [A-Za-z][\w-]*(?: [A-Za-z])?"
_BEHIND = re.compile(rf"(?<![\w-])(?P<name>[A-Za-z][\w-]*)(?={_NEXT} {_NOUN}(?!\w))", re.IGNORECASE)
_LED = re.compile(r"(?P<lead>(?:tested|screened|test|testing|screening) for) ", re.IGNORECASE)
_ITEM = re.compile(
    r"(?:^|(?<=, )|(?<=and )|(?<=for ))(?!and )(?P<name>[A-Za-z][\w-]*(?: (?!and )[\w-]+){0,3}?)"
    r"(?=,| and |$|[.;:()]| was| were| on| in)"
)
_PATIENT = "patient"
# Words that are read as another one: a letter speaks to its patient, and wards write signs.
_SHORTHAND = {"you": _PATIENT, "your": "the", "#": "fracture", "neg": "negative", "pos": "positive"}
# Verbs behind `you`, and what may stand between.
_AGREEING = {
    "have": "has", "are": "is", "were": "was", "do": "does", "take": "takes", "use": "uses", "weigh": "weighs",
    "live": "lives", "work": "works", "suffer": "suffers", "continue": "continues", "remain": "remains",
}  # fmt: skip
_WITHIN = frozenset(("also", "still", "now", "currently", "no", "longer", "both"))
# The point of `temp. 37.7`.
_SHORTENED = re.compile(r"\.\s?[0-9]")
_BEFORE_UNIT = re.compile(r"[0-9]\s?$")
_UNITS = frozenset(map(str.lower, units.PROSE))
_SPACES = str.maketrans(
    {"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\t": " ", "\n": " ", "\r": " ", "µ": "u", "μ": "u"}
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as it is written: how many decimals decides how far it is rounded. `unit` is empty where none stands."""

    value: Decimal
    unit: str = ""

    @property
    def decimals(self) -> int:
        return max(0, -int(self.value.as_tuple().exponent))


@dataclass(frozen=True, slots=True)
class Pair:
    """Systolic and diastolic pressure."""

    first: Decimal
    second: Decimal


@dataclass(frozen=True, eq=False)
class Known:
    """What one record adds to the names that every text may hold. Compared by identity: it is part of a cache's key."""

    names: Names = field(default_factory=Names)
    kinds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    titles: tuple[str, ...] = ()
    # Keys of what is taken, or is an allergy.
    drugs: frozenset[str] = frozenset()
    # Names that end with a question mark, in lower case, with it and without it.
    questions: frozenset[str] = frozenset()
    # Names by which the record's notes introduce the patient.
    called: frozenset[str] = frozenset()
    # Its names in any order of their words.
    loose: Loose = field(default_factory=Loose)


NOTHING_KNOWN = Known()


def tokens(text: str, today: date, known: Known = NOTHING_KNOWN) -> list[Node]:
    """The tokens of a text in their order."""
    return list(_tokens(text, today, known))


# A sentence that is not read is looked for among the texts next.
@lru_cache(maxsize=4)
def _tokens(text: str, today: date, known: Known) -> tuple[Node, ...]:
    rest = rest_of = text.translate(_SPACES)
    taken = bytearray(len(text))
    found: list[Node] = []
    named = (
        lambda _: _quotes(text),
        _crossed,
        # The source of a quotation may begin with the name of a method.
        lambda part: chain(_titles(part, known.titles, _quoted_until(text)), _titles(part, METHODS)),
        lambda part: _names(part, known),
        lambda _: _shared(rest_of, known),
    )
    numbered = (
        lambda part: _dates(part, today),
        _units_behind,
        _heights,
        _scores,
        _pairs,
        _points,
        _numbers,
        _ages,
        _numbers_in_words,
    )
    for scan in (*named, *numbered, lambda part: _words(part, known.called)):
        for node in scan(rest):
            if not any(taken[node.start : node.end]):
                found.append(node)
                taken[node.start : node.end] = b"\1" * (node.end - node.start)
                rest = rest[: node.start] + "\0" * (node.end - node.start) + rest[node.end :]
    return tuple(_addressed(sorted(found, key=lambda node: node.start)))


def name_of(text: str, known: Known = NOTHING_KNOWN) -> Node | None:
    """The name that a text is, if it is one."""
    return next((node for node in _names(text, known) if node.text == text), None)


def _quotes(text: str) -> Iterator[Node]:
    for match in _QUOTED.finditer(text):
        yield _node(match, QUOTE, match[1] or match[2])


def _crossed(text: str) -> Iterator[Node]:
    """What is known of a cross-reaction, in the words of its row."""
    for match in relations.pattern().finditer(text):
        yield _node(match, CROSSED, match.group())


def _quoted_until(text: str) -> int:
    """Where the first quotation ends. The source of one is named behind it; elsewhere a title (`A`) may be any word."""
    quoted = _QUOTED.search(text)
    return quoted.end() if quoted else len(text)


def _titles(text: str, titles: tuple[str, ...], start: int = 0) -> Iterator[Node]:
    for title, pattern in _patterns(titles) if start < len(text) else ():
        for match in pattern.finditer(text, start):
            yield _node(match, TITLE, title)


@lru_cache(maxsize=64)
def _patterns(titles: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each title, the longest first, with what finds it."""
    ordered = sorted(set(titles), key=len, reverse=True)
    return tuple((each, re.compile(rf"(?<!\w){re.escape(each)}(?!\w)", re.IGNORECASE)) for each in ordered)


def _names(text: str, known: Known) -> Iterator[Node]:
    for start, end, meant in lexicon.find(text, known.names, *names.everywhere()):
        kinds = names.kinds_of(meant).union(*(known.kinds.get(key, _NONE) for key in meant))
        if names.OBSERVABLE in kinds and kinds & _DRUGS:
            kinds -= {names.OBSERVABLE} if meant & known.drugs else _DRUGS
        is_thousand = text[start : end + 3].lower() == _THOUSANDS_OF
        if is_thousand or text[start:end].lower() in RESERVED or _is_unit(text, start, end):
            continue
        end_ = end + _marks_behind(text, start, end, known)
        if kinds and _KNOWN.fullmatch(text, start, end_):
            yield Node(text[start:end_], start, end_, kinds, value=meant)


def _shared(text: str, known: Known) -> Iterator[Node]:
    """Names that share a word with others of a list: physical and occupational therapy; tested for HIV and syphilis."""
    for match in _BEHIND.finditer(text):
        yield from _named_with(match, f"{{}} {match['noun'].removesuffix('s')}", known)
    for match in _LED.finditer(text):
        for item in _ITEM.finditer(text, match.end(), _end_of(text, match.end())):
            yield from _named_with(item, f"{match['lead']} {{}}", known)


def _end_of(text: str, start: int) -> int:
    """Where a list ends: at the next mark that is no comma."""
    mark = re.compile(r"[.;:()]| (?:was|were|on|in|when|at) ").search(text, start)
    return mark.start() if mark else len(text)


def _named_with(match: re.Match[str], shared: str, known: Known) -> Iterator[Node]:
    name = shared.format(match["name"])
    for start, end, meant in lexicon.find(name, known.names, *names.everywhere()):
        kinds = names.kinds_of(meant).union(*(known.kinds.get(key, _NONE) for key in meant))
        if (start, end) == (0, len(name)) and kinds & _DONE:
            yield Node(match["name"], match.start("name"), match.end("name"), kinds & _DONE, value=meant)


def _marks_behind(text: str, start: int, end: int, known: Known) -> int:
    """Marks that belong to a name: its question mark, the bracket that it ends with, the charge of an ion (`K+`)."""
    behind = text[end : end + 1]
    is_asked = behind == "?" and text[start : end + 1].lower() in known.questions
    opening = {")": "(", "]": "["}.get(behind, "")
    is_bracket = bool(opening) and text.count(opening, start, end) > text.count(behind, start, end)
    is_charge = behind in ("+", "-") and end - start <= _ION
    is_short = _SHORTENED.match(text, end) is not None
    return int(bool(behind) and (is_asked or is_bracket or is_charge or is_short))


def _is_unit(text: str, start: int, end: int) -> bool:
    """Whether a name is the unit of the number before it (`250 MG`)."""
    return _BEFORE_UNIT.search(text[:start]) is not None and text[start:end].lower() in _UNITS


def _dates(text: str, today: date) -> Iterator[Node]:
    for found in dates.find(text, today):
        yield Node(text[found.start : found.end], found.start, found.end, frozenset({DATE}), value=found)


def _units_behind(text: str) -> Iterator[Node]:
    for match in _UNIT_BEHIND.finditer(text):
        spelled = match["told"] or match["listed"] or match["bare"]
        unit = spelled if len(units.readings(spelled)) > 1 else units.printed(spelled)
        start = match.end() - len(match.group().lstrip())
        yield Node(match.group().strip(), start, match.end(), frozenset({UNIT}), value=unit)


def _heights(text: str) -> Iterator[Node]:
    for match in _FEET.finditer(text):
        yield _node(
            match, QUANTITY, Amount(12 * Decimal(match["feet"]) + Decimal(match["inches"]), units.printed("[in_i]"))
        )


def _scores(text: str) -> Iterator[Node]:
    """A pressure is never a smaller number over a greater one."""
    for match in _SCORE.finditer(text):
        value, most = int(match["first"]), int(match["most"])
        if value <= most and most >= _LEAST_MOST:
            yield _node(match, SCORE, Amount(Decimal(value), f"/{most}"))


def _pairs(text: str) -> Iterator[Node]:
    for match in _PAIR.finditer(text):
        first, second = Decimal(match["first"]), Decimal(match["second"])
        yield _node(match, PAIR, Pair(first, second))


def _numbers(text: str) -> Iterator[Node]:
    for match in _NUMBER.finditer(text):
        value = _value(match["number"] or match["listed"])
        if value is not None:
            signed = -value if match["sign"] else value
            yield _amount(match, signed)


def _ages(text: str) -> Iterator[Node]:
    """`69F`: the letter stands for the sex, and stays a word."""
    for match in _AGE.finditer(text):
        yield _amount(match, Decimal(match["number"]))


def _points(text: str) -> Iterator[Node]:
    """`six point five`."""
    for match in _POINT.finditer(text):
        digits = "".join(str(_WORDS.index(word.lower())) for word in match["part"].split())
        yield _amount(match, Decimal(f"{NUMBERS[match['whole'].lower()]}.{digits}"))


def _numbers_in_words(text: str) -> Iterator[Node]:
    for match in _IN_WORDS.finditer(text):
        yield _amount(match, Decimal(_in_words(match["number"])))


def _words(text: str, called: frozenset[str]) -> Iterator[Node]:
    for match in TOKEN.finditer(text):
        known = _KNOWN.fullmatch(match.group())
        yield Node(_meant(match.group(), called) if known else "\uffff", match.start(), match.end())


def _meant(word: str, called: frozenset[str]) -> str:
    """A word in lower case; `Ester's` as `patient's`, where the notes call the patient so; shorthand as its word."""
    own = word.removesuffix("'s").removesuffix("’s")
    return f"patient{word[len(own) :]}" if own in called else _SHORTHAND.get(word.lower(), word.lower())


def _addressed(nodes: Iterable[Node]) -> Iterator[Node]:
    """`You take` as `patient takes`: verbs that follow directly agree with the patient."""
    follows = False
    for node in nodes:
        is_word = not node.kinds
        told = _AGREEING.get(node.text) if follows and is_word else None
        yield replace(node, text=told) if told else node
        follows = is_word and (node.text == _PATIENT or (follows and node.text in _WITHIN))


def _amount(match: re.Match[str], value: Decimal) -> Node:
    # A spelling that several units share stays as it is: what is measured says which of them is meant.
    unit = (
        (match["unit"] if len(units.readings(match["unit"])) > 1 else units.printed(match["unit"]))
        if match["unit"]
        else ""
    )
    kind = DURATION if unit in units.TIME_UNITS else QUANTITY if unit else NUMBER
    return _node(match, kind, Amount(value, unit))


def _node(match: re.Match[str], kind: str, value: object) -> Node:
    return Node(match.group(), match.start(), match.end(), frozenset({kind}), value=value)


def _value(digits: str) -> Decimal | None:
    """None where the digits can be read in more than one way."""
    if _PLAIN.fullmatch(digits):
        return Decimal(digits)
    if _THOUSANDS.fullmatch(digits):
        return Decimal(digits.replace(",", ""))
    return Decimal(digits.replace(",", ".")) if _COMMA.fullmatch(digits) else None


def _in_words(text: str) -> int:
    total, current = 0, 0
    for word in re.split(r"[ -]+", text.lower()):
        if word == "hundred":
            current = max(current, 1) * 100
        elif word == "thousand":
            total, current = total + max(current, 1) * 1000, 0
        else:
            current += NUMBERS.get(word, 0)
    return total + current
