"""Allergy statements in the text of a letter, by rules: what is said, about whom, and how surely.

After NegEx and ConText (Chapman 2001, Harkema 2009): a cue holds inside its sentence up to a word such as `but`.
A relative's allergy is no statement about the patient. A hedged one is kept, with low confidence: it is a question
for the physician, and dropping it would be the dangerous error. A substance that is not in allergens.tsv is not
guessed; the letter itself stays searchable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from imaging.domain.tables import table

SURE, HEDGED = 0.95, 0.5
"""Confidence of a plain statement and of one that the writer put in doubt. Set by hand; no probabilities."""

SNOMED = "http://snomed.info/sct"

_SENTENCE = re.compile(r"[^.;!?\n]+(?:\.(?=\w)[^.;!?\n]*)*")
_REACTIONS = (
    r"anaphyla(?:xis|ctic(?: shock| reaction)?)|angio-?o?edema|urticaria|hives|rash|wheez(?:e|ing)|bronchospasm|"
    r"stevens-johnson syndrome|swelling(?: of the \w+)?|itching|pruritus|nausea|vomiting|diarrhoea|diarrhea|cough"
)
_CAUSE = re.compile(
    rf"(?:(?P<reaction>{_REACTIONS})|(?:allergic|adverse|drug|hypersensitivity)\s+reactions?|allerg(?:y|ies|ic)|reacted|"
    r"hypersensitiv(?:e|ity)|intoleran(?:t|ce))\s+(?:to|after|with|from|following)\s+(?:the\s+|any\s+)?",
    re.IGNORECASE,
)
_ALLERGY_AFTER = re.compile(r"\s*[- ](?:allergy|allergies|allergic|anaphylaxis|hypersensitivity)\b", re.IGNORECASE)
_SECTION = re.compile(r"\b(?:known\s+|drug\s+)?(?:allergies|allergy|allergens?)\s*(?:list)?\s*:\s*", re.IGNORECASE)
_JOINER = re.compile(r"\s*(?:\([^)]*\))?\s*(?:,\s*(?:and\s+|or\s+)?|/|\s+and\s+|\s+or\s+|\s+nor\s+)\s*", re.IGNORECASE)
_NONE_KNOWN = re.compile(
    r"\b(?:NK(?P<drug>D)?A|no\s+(?:known\s+)?(?P<drugs>drug\s+|medication\s+)?allerg(?:y|ies)(?:\s+known)?|"
    r"(?:denies|without)\s+(?:any\s+)?(?:known\s+)?(?P<denied>drug\s+|medication\s+)?allerg(?:y|ies)|"
    r"allerg(?:y|ies)\s*:\s*(?:none(?:\s+known)?|nil(?:\s+known)?))(?![\w-])(?!\s+to\b)",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:no|not|never|denies|denied|without|negative for|no history of|no evidence of|rules? out|ruled out)\b",
    re.IGNORECASE,
)
_NEGATED_AFTER = re.compile(
    r"\b(?:(?:was|were|is|has been|have been|been)\s+(?:ruled out|excluded|refuted|disproved|removed|de-?labelled)|"
    r"(?:is|was)\s+(?:unlikely|not confirmed)|not confirmed)\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:possibl[ey]|probabl[ey]|suspected|suspicion|questionable|uncertain|unclear|unconfirmed|perhaps|may|might|"
    r"reportedly|presumed|query|cannot be excluded|if)\b|\?",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r"\b(?:mother|father|parents?|brother|sister|sibling|son|daughter|child|children|aunt|uncle|cousin|wife|husband|"
    r"grand(?:mother|father|parents?|son|daughter)|family history|relatives?)(?:'s)?\b",
    re.IGNORECASE,
)
_TURN = re.compile(r"[,:]|\b(?:but|however|although|though|yet|except|apart from|while|whereas)\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:in|since|from)\s+((?:19|20)\d\d)\b", re.IGNORECASE)
_HEADING = re.compile(r"^([ \t]*(?:known |drug )?allerg(?:y|ies))[ \t]*:?[ \t]*\n", re.IGNORECASE | re.MULTILINE)
_WRAPPED = re.compile(r"([^\n]{50}[^\n]*[^\n.:;!?])\n(?=[a-z(])")
# Longest distance, in characters, of a remark such as `(hives)` from its substance.
_REMARK = 24
_SEEN = re.compile(rf"\b(?:{_REACTIONS})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Substance:
    """What the patient reacts to; for `no known allergies`, the SNOMED CT situation."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class AllergyStatement:
    """One statement about the patient, and the characters [start, end) of the text that make it."""

    substance: Substance
    present: bool
    reaction: str
    year: int | None
    confidence: float
    start: int
    end: int


NO_KNOWN_ALLERGY = Substance(SNOMED, "716186003", "No known allergy")
NO_KNOWN_DRUG_ALLERGY = Substance(SNOMED, "409137002", "No known drug allergy")


def find_allergies(text: str) -> list[AllergyStatement]:
    """Every statement about the patient's allergies, in order; one for each substance and polarity, the surest first
    said. Text without any gives an empty list.
    """
    kept: dict[tuple[str, bool], AllergyStatement] = {}
    for match in _SENTENCE.finditer(_unwrapped(text)):
        for statement in _statements(match[0], match.start()):
            key = (statement.substance.code, statement.present)
            if key not in kept or statement.confidence > kept[key].confidence:
                kept[key] = statement
    return sorted(kept.values(), key=lambda statement: statement.start)


def _unwrapped(text: str) -> str:
    """The same text with the same offsets, in which a heading `Allergies` and the line below are one sentence, and a
    sentence that goes on in the next line is one.
    """
    headed = _HEADING.sub(lambda match: f"{match[1]}:{' ' * (len(match[0]) - len(match[1]) - 1)}", text)
    return _WRAPPED.sub(lambda match: f"{match[1]} ", headed)


def _statements(sentence: str, offset: int) -> Iterator[AllergyStatement]:
    if _RELATIVE.search(sentence):
        return
    yield from _none_known(sentence, offset)
    for mention in _mentions(sentence):
        if statement := _judge(sentence, offset, mention):
            yield statement


def _none_known(sentence: str, offset: int) -> Iterator[AllergyStatement]:
    for match in _NONE_KNOWN.finditer(sentence):
        drugs = match["drug"] or match["drugs"] or match["denied"]
        substance = NO_KNOWN_DRUG_ALLERGY if drugs else NO_KNOWN_ALLERGY
        confidence = HEDGED if _HEDGE.search(sentence, _turn_before(sentence, match.start()), match.start()) else SURE
        yield AllergyStatement(substance, False, "", None, confidence, offset + match.start(), offset + match.end())


@dataclass(frozen=True, slots=True)
class _Mention:
    """A substance and the words that make it an allergy: `allergic to` [lead] `penicillin`."""

    start: int
    end: int
    lead_end: int
    reaction_leads: bool
    substance: Substance


def _mentions(sentence: str) -> Iterator[_Mention]:
    """Of `allergic to A, B and C`, `rash after A`, `Allergies: A, B` and `A allergy`; each substance once."""
    seen: set[int] = set()
    for lead in (*_CAUSE.finditer(sentence), *_SECTION.finditer(sentence)):
        by_reaction = bool(lead.groupdict().get("reaction"))
        for found in _listed(sentence, lead.end()):
            if found.start() not in seen:
                seen.add(found.start())
                yield _Mention(lead.start(), found.end(), lead.end(), by_reaction, _substance_of(found[0].lower()))
    for found in _developed().finditer(sentence):
        if found.start("substance") not in seen:
            seen.add(found.start("substance"))
            yield _Mention(found.start(), found.end(), found.end(), True, _substance_of(found["substance"].lower()))
    for found in _lexicon().finditer(sentence):
        after = _ALLERGY_AFTER.match(sentence, found.end())
        if after and found.start() not in seen:
            yield _Mention(found.start(), after.end(), found.start(), False, _substance_of(found[0].lower()))


def _listed(sentence: str, position: int) -> Iterator[re.Match[str]]:
    """The substances that follow one another from `position` on, with nothing but joining words between."""
    while found := _lexicon().match(sentence, position):
        yield found
        joiner = _JOINER.match(sentence, found.end())
        if joiner is None:
            return
        position = joiner.end()


def _judge(sentence: str, offset: int, mention: _Mention) -> AllergyStatement | None:
    """The span includes the words that deny or doubt, so that the quotation says what the fact says.

    That a reaction did not come is no statement about an allergy: None.
    """
    clause, rest = _turn_before(sentence, mention.start), _turn_after(sentence, mention.end)
    denial = _NEGATION.search(sentence, clause, mention.start) or _NEGATED_AFTER.search(sentence, mention.end, rest)
    doubt = _HEDGE.search(sentence, clause, mention.start) or _HEDGE.search(sentence, mention.end, rest)
    if denial and mention.reaction_leads:
        return None
    cues = [cue for cue in (denial, doubt) if cue]
    year = None if denial else _YEAR.search(sentence, mention.end)
    return AllergyStatement(
        substance=mention.substance,
        present=denial is None,
        reaction="" if denial else _reaction(sentence, mention),
        year=int(year[1]) if year else None,
        confidence=HEDGED if doubt else SURE,
        start=offset + min([mention.start, *(cue.start() for cue in cues)]),
        end=offset + max([mention.end, *(cue.end() for cue in cues)]),
    )


def _turn_before(sentence: str, position: int) -> int:
    return max((turn.end() for turn in _TURN.finditer(sentence, 0, position)), default=0)


def _turn_after(sentence: str, position: int) -> int:
    turn = _TURN.search(sentence, position)
    return turn.start() if turn else len(sentence)


def _reaction(sentence: str, mention: _Mention) -> str:
    """The reaction in the lead, else in a short remark right after the substance and before the next one."""
    found = _SEEN.search(sentence, mention.start, mention.lead_end)
    if found is None:
        following = _lexicon().search(sentence, mention.end)
        found = _SEEN.search(sentence, mention.end, following.start() if following else len(sentence))
        found = found if found and found.start() - mention.end <= _REMARK else None
    return found[0].lower() if found else ""


@cache
def _lexicon() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_words()})\b", re.IGNORECASE)


@cache
def _developed() -> re.Pattern[str]:
    """`Under amoxicillin she developed hives`."""
    return re.compile(
        rf"\b(?:after|under|on|following)\s+(?:the\s+)?(?P<substance>{_words()})\b[^,;]{{0,40}}?"
        rf"\b(?:developed|had|suffered|experienced)\s+(?:an?\s+|generalised\s+)?(?:{_REACTIONS})\b",
        re.IGNORECASE,
    )


def _words() -> str:
    """The longest first, so that `penicillin g` is not read as `penicillin`."""
    words = sorted((word for row in table("allergens") for word in row["words"].split("|")), key=len, reverse=True)
    return "|".join(map(re.escape, words))


@cache
def _substance_of(word: str) -> Substance:
    row = next(row for row in table("allergens") if word in row["words"].split("|"))
    return Substance(row["system"], row["code"], row["display"])
