"""What a letter tells beside allergies: the family's history, findings that are denied, and why a drug was stopped.

By rules, after NegEx and ConText (Chapman 2001, Harkema 2009), and only where the sentence leaves no doubt: a cue, then
names in one list. To deny less than a problem (`no orthopnoea`) is not to deny the problem. A name with words behind it
that may change it (`no cancer screening`) is left alone, as is a sentence that asks, advises or supposes. What
conditions, drugs, relatives and denials are called is known to terminology.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import absence, drugs, families
from terminology.absence import Meaning
from terminology.naming import Mention

TOLD = 0.9
"""Confidence of a plain statement in a letter: below one about an allergy, whose rules are narrower. Set by hand."""

_SENTENCE = re.compile(r"[^.;!?\n]+(?:\.(?=\w)[^.;!?\n]*)*[.;!?]?")
# What is asked, advised or supposed is not told.
_SUPPOSED = re.compile(
    r"\?|\b(?:if|unless|until|should|would|could|may(?!\s+\d)|might|return|risk|rule out|r/o|concern|possible|"
    r"probable|screen\w*)\b",
    re.IGNORECASE,
)
_JOINER = re.compile(r"\s*(?:,|/|&|\+|\b(?:and|or|nor)\b)\s*", re.IGNORECASE)
_OR = re.compile(r"\b(?:or|nor)\b", re.IGNORECASE)
# Words of an item that show that it is no item of the list.
_NO_ITEM = re.compile(
    r"\b(?:s?he|they|it|patient|pt|who|which|that|but|is|was|were|are|has|had|have|did|does|do|for|with|from|since|now|"
    r"no|not|never|denies|denied|reports?|states?|says?|notes?|positive|presents?|due|because|in|on|to|than|mother|father)\b",
    re.IGNORECASE,
)
_MOST_WORDS = 3
# Words before the first item of a list that make every item of it mean less: `no symptoms of angina or heart failure`.
_LESS = re.compile(
    r"\s*(?:any\s+)?(?:symptoms?|signs?|episodes?|complaints?|more|further|new|wors\w+|increas\w+|chang\w+|pre\w+|post\w+|"
    r"recurren\w+|acute|active|exertional|significant|frequent|severe)\b",
    re.IGNORECASE,
)
# What may stand before a name that is denied without denying less than the name.
_PLAIN = re.compile(
    r"\s*(?:(?:any|the|an?|known|other|previous|prior|past|current|recent|history\s+of|evidence\s+of)\s+)*",
    re.IGNORECASE,
)
# What may stand behind a name that is denied.
_DENIED_TO = re.compile(
    r"\s*(?:$|[.,;!)\n]|(?:and|or|nor|but|today|currently|at (?:this|the present) time|at present)\b)", re.IGNORECASE
)
# Denials after which a comma may begin what is not denied: `No fever, chest pain since Monday`.
_LOOSE = frozenset(("NO", "WITHOUT", "NEVER"))
# `The lump was not cancer` says nothing of the patient's other lumps.
_OF_ONE_THING = "NOT"
_LIST_REACH = 60
_HISTORY = re.compile(
    r"(?P<none>\b(?:no|denies(?:\s+any)?|negative|without(?:\s+any)?)\s+(?:(?:known|significant|pertinent)\s+)?)?"
    r"\bfamily\s+(?:medical\s+)?(?:history|hx)\s*(?:(?:is|was)\s+)?"
    r"(?:(?P<negative>negative\s+for)|(?:(?:positive|significant|notable|remarkable)\s+for)|of|includes?|:)\s*",
    re.IGNORECASE,
)
_OF_RELATIVE = re.compile(
    r"\s*(?:,?\s*(?:age\s+\d+|\d+),?)?\s*(?:(?:also|both)\s+)?"
    r"(?:(?:(?:has|have|had|with|suffers?\s+from|suffered\s+from|died\s+(?:of|from)|passed\s+away\s+(?:of|from)|"
    r"(?:(?:was|were|is)\s+)?diagnosed\s+with)\s+(?:a\s+history\s+of\s+|a\s+)?)|[:(-]\s*)",
    re.IGNORECASE,
)
_POSITIVE = re.compile(r"\s*(?:positive|significant|notable|remarkable)\b", re.IGNORECASE)
# What belongs to the name of a relative: `maternal great-grandmother`.
_KINSHIP = re.compile(
    r"(?:\b(?:maternal|paternal|great|half|older|younger|first|second|degree)[\s-]+)+$", re.IGNORECASE
)
_KINSHIP_WITHIN = 30
_NOT_OF_BLOOD = re.compile(r"\b(?:wife|husband|spouse|partner|step\w*|adopt\w*|foster)\b|in[- ]law", re.IGNORECASE)
_FAMILY_TO = re.compile(
    r"\s*(?:$|[.,;!()\n/&]|(?:and|or|at|in|on|age|aged|when|as|but|who|while|before|after)\b)", re.IGNORECASE
)
_BECAUSE = (
    r"\s+(?:(?:in|since)\s+(?:\w+\s+)?(?:19|20)\d\d\s+)?"
    r"(?:because\s+of|due\s+to|owing\s+to|on\s+account\s+of|secondary\s+to)\s+"
)
_NAME = r"(?P<drug>[^\W\d_][\w/-]*(?:\s+[^\W\d_][\w/-]*)?)"
_REASON = (
    r"(?P<reason>[^.;,\n]{3,80}?)(?=\s*(?:[.;,\n]|$|\b(?:and|but|so)\s+(?:s?he|was|the|we|has|had|started|switched)\b))"
)
_STOPPED = r"(?:stopped|discontinued|withdrawn|ceased)"
_STOPS = (
    re.compile(
        rf"\b{_NAME}\s+(?:(?:was|were|has\s+been|had\s+been|is|been)\s+)?{_STOPPED}{_BECAUSE}{_REASON}", re.IGNORECASE
    ),
    re.compile(
        rf"\b{_STOPPED}\s+(?:taking\s+|using\s+)?(?:(?:his|her|the|their|my)\s+)?{_NAME}{_BECAUSE}{_REASON}",
        re.IGNORECASE,
    ),
)
_UNDONE = re.compile(r"(?:\b(?:not|never|nor|without)|n't)\s+(?:been\s+)?$", re.IGNORECASE)
_BEFORE = 20


@dataclass(frozen=True, slots=True)
class FamilyStatement:
    """A condition that a relative has, or that the family has not; `relative` as the text calls it."""

    relative: str
    condition: CodedConcept
    present: bool
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DenialStatement:
    """A finding or diagnosis that the patient does not have, by the characters [start, end)."""

    finding: CodedConcept
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class StopStatement:
    """A drug that was stopped, and why, in the words of the text."""

    drug: CodedConcept
    reason: str
    confidence: float
    start: int
    end: int


def find_denials(text: str) -> list[DenialStatement]:
    """Findings that the text says the patient does not have; each once."""
    found: dict[str, DenialStatement] = {}
    relatives = False
    for start, sentence in _told(text):
        # `Siblings are healthy. Negative for diabetes.`: without a subject of its own it goes on about them.
        relatives = absence.of_another(sentence) or (relatives and _has_no_subject(sentence))
        for mention in () if relatives else filter(families.is_whole, families.mentions(sentence)):
            begin = _denied_from(sentence, mention)
            if begin is not None:
                concept = _concept(mention)
                statement = DenialStatement(concept, TOLD, start + begin[0], start + begin[1])
                found.setdefault(concept.display, statement)
    return list(found.values())


def find_family(text: str) -> list[FamilyStatement]:
    """What runs in the family, or does not, in order; each relative and condition once."""
    found: dict[tuple[str, str], FamilyStatement] = {}
    for start, sentence in _told(text):
        mentions = [mention for mention in families.mentions(sentence) if mention.certain]
        for said in (*_of_history(sentence, mentions), *_of_relatives(sentence, mentions)):
            relative, present, begin, mention = said
            statement = FamilyStatement(relative, _concept(mention), present, TOLD, start + begin, start + mention.end)
            found.setdefault((relative, statement.condition.display), statement)
    return sorted(found.values(), key=lambda statement: (statement.start, statement.end))


def find_stops(text: str) -> list[StopStatement]:
    """Drugs that were stopped for a reason that the text gives."""
    found: dict[str, StopStatement] = {}
    for start, sentence in _told(text):
        if absence.of_another(sentence):
            continue
        for match in (match for pattern in _STOPS for match in pattern.finditer(sentence)):
            named = drugs.ingredients_in(match["drug"])
            undone = _UNDONE.search(sentence, max(0, match.start() - _BEFORE), match.start())
            if len(named) == 1 and not undone:
                concept, reason = drugs.concept_of(named[0]), match["reason"].strip()
                statement = StopStatement(concept, reason, TOLD, start + match.start(), start + match.end())
                found.setdefault(concept.code, statement)
    return list(found.values())


def _told(text: str) -> Iterator[tuple[int, str]]:
    """The sentences that tell, and where they begin."""
    for match in _SENTENCE.finditer(text):
        if not _SUPPOSED.search(match[0]):
            yield match.start(), match[0]


def _concept(mention: Mention) -> CodedConcept:
    name = families.known()[mention.keys[0]].name
    return CodedConcept(system="urn:longitude:text", code=name, display=name)


def _has_no_subject(sentence: str) -> bool:
    return absence.opening(sentence.strip()) is not None or bool(_POSITIVE.match(sentence))


def _denied_from(sentence: str, mention: Mention) -> tuple[int, int] | None:
    """The characters that deny a name; None when they may not."""
    for cue in absence.cues(sentence, mention.start, mention.end):
        if cue.meaning not in {Meaning.NONE, Meaning.RULED_OUT}:
            return None
        if cue.start >= mention.end:
            return mention.start, cue.end
        words = sentence[cue.start : cue.end].upper()
        if words == _OF_ONE_THING:
            return None
        if _DENIED_TO.match(sentence, mention.end) and _is_listed(sentence, cue.end, mention, loose=words in _LOOSE):
            return cue.start, mention.end
        return None
    return None


def _is_listed(sentence: str, begin: int, mention: Mention, *, loose: bool) -> bool:
    """Whether what stands between a cue and a name is the list that the name is an item of."""
    between = sentence[begin : mention.start]
    items = _JOINER.split(between)
    if any(len(item.split()) > _MOST_WORDS or _NO_ITEM.search(item) or re.search(r"[():]", item) for item in items):
        return False
    if _LESS.match(between) or not _stands_alone(sentence, begin, mention):
        return False
    joined = len(items) > 1
    return not (joined and loose) or bool(_OR.search(sentence, begin, mention.end + _LIST_REACH))


def _stands_alone(sentence: str, begin: int, mention: Mention) -> bool:
    """Whether nothing before a name makes it mean less: `pancreatic cancer` is not all cancer."""
    return bool(_PLAIN.fullmatch(_JOINER.split(sentence[begin : mention.start])[-1]))


_Said = tuple[str, bool, int, Mention]


def _of_history(sentence: str, mentions: Sequence[Mention]) -> Iterator[_Said]:
    for lead in _HISTORY.finditer(sentence):
        present = not (lead["none"] or lead["negative"])
        for mention in _items(sentence, lead.end(), mentions):
            if not present and not (families.is_whole(mention) and _stands_alone(sentence, lead.end(), mention)):
                continue
            yield "family", present, lead.start(), mention


def _of_relatives(sentence: str, mentions: Sequence[Mention]) -> Iterator[_Said]:
    if _NOT_OF_BLOOD.search(sentence):
        return
    relatives = absence.others(sentence)
    for number, (start, end) in enumerate(relatives):
        link = _OF_RELATIVE.match(sentence, end)
        if link is None or "history" in sentence[start:end].lower():
            continue
        stop = relatives[number + 1][0] if number + 1 < len(relatives) else len(sentence)
        kin = _KINSHIP.search(sentence, max(0, start - _KINSHIP_WITHIN), start)
        begin = kin.start() if kin else start
        for mention in _items(sentence, link.end(), mentions):
            if mention.end <= stop:
                yield " ".join(sentence[begin:end].lower().split()), True, begin, mention


def _items(sentence: str, position: int, mentions: Sequence[Mention]) -> Iterator[Mention]:
    """The names of the list that begins at a position, as long as it is one."""
    for mention in (each for each in mentions if each.start >= position):
        items = _JOINER.split(sentence[position : mention.start])
        if any(len(item.split()) > _MOST_WORDS or _NO_ITEM.search(item) for item in items):
            return
        if not _FAMILY_TO.match(sentence, mention.end):
            return
        yield mention
        position = mention.end
