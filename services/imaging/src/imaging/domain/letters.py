"""Allergy statements in the text of a letter, by rules: what is said, about whom, and how surely.

After NegEx and ConText (Chapman 2001, Harkema 2009): a cue holds inside its sentence up to a word such as `but`.
A relative's allergy is no statement about the patient. A hedged one is kept, with low confidence: it is a question
for the physician, and dropping it would be the dangerous error. What allergens, reactions and cues are called is
known to terminology. A substance that it does not know is not guessed; the letter itself stays searchable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import absence, allergens
from terminology.absence import Cue, Meaning

from imaging.domain.reported import REACTION, Reported, reported

SURE, HEDGED = 0.95, 0.5
"""Confidence of a plain statement and of one that the writer put in doubt. Set by hand; no probabilities."""

_SENTENCE = re.compile(r"[^.;!?\n]+(?:\.(?=\w)[^.;!?\n]*)*")
# What may stand between an allergy and the words that take it back: `(hives)`, `in 2014`.
_ASIDE = re.compile(r"\s*(?:\([^)]*\))?\s*(?:\b(?:in|since|from)\s+(?:19|20)\d\d\b)?", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:in|since|from)\s+((?:19|20)\d\d)\b", re.IGNORECASE)
_HEADING = re.compile(r"^([ \t]*(?:known |drug )?allerg(?:y|ies))[ \t]*:?[ \t]*\n", re.IGNORECASE | re.MULTILINE)
_LIST = re.compile(r"^[ \t]*(?:known |drug )?allerg(?:y|ies)[ \t]*:[^\n]*", re.IGNORECASE | re.MULTILINE)
_BREAK = re.compile(r"(?<=[^\n.:;!?])\n(?=[a-z(])")
# Least length of a line that may have been broken because the page ended, in characters.
_FULL_LINE = 51
# Longest distance, in characters, of a remark such as `(hives)` from its substance, and of the year.
_REMARK, _YEAR_WITHIN = 24, 120
_SEEN = re.compile(rf"\b(?:{REACTION})\b", re.IGNORECASE)
# `No known allergy to penicillin` and `no allergies except penicillin` are about penicillin.
_GOES_ON = re.compile(r"-?\w|\s+to\b|,?\s+(?:except|apart\s+from|other\s+than)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AllergyStatement:
    """One statement about the patient, and the characters [start, end) of the text that make it."""

    substance: CodedConcept
    present: bool
    reaction: str
    year: int | None
    confidence: float
    start: int
    end: int


def find_allergies(text: str) -> list[AllergyStatement]:
    """Every statement about the patient's allergies, in order; one for each substance and polarity, the surest first
    said. Text without any gives an empty list.
    """
    kept: dict[tuple[str, str, bool], AllergyStatement] = {}
    for match in _SENTENCE.finditer(_unwrapped(text)):
        asked = text.startswith("?", match.end())
        for plain in _statements(match[0], match.start()):
            statement = replace(plain, confidence=HEDGED) if asked else plain
            key = (statement.substance.system, statement.substance.code, statement.present)
            if key not in kept or statement.confidence > kept[key].confidence:
                kept[key] = statement
    return sorted(kept.values(), key=lambda statement: statement.start)


def _unwrapped(text: str) -> str:
    """The same text with the same offsets, in which a heading `Allergies` and the line below are one sentence, as are
    the items of that line and a sentence that goes on in the next line.
    """
    headed = _HEADING.sub(lambda match: f"{match[1]}:{' ' * (len(match[0]) - len(match[1]) - 1)}", text)
    listed = _LIST.sub(lambda match: match[0].replace(";", ","), headed)
    return _BREAK.sub(lambda match: " " if _is_full(listed, match.start()) else "\n", listed)


def _is_full(text: str, end: int) -> bool:
    return end - (text.rfind("\n", 0, end) + 1) >= _FULL_LINE


def _statements(sentence: str, offset: int) -> Iterator[AllergyStatement]:
    if absence.of_another(sentence):
        return
    yield from _none_known(sentence, offset)
    for report in reported(sentence, allergens.mentions(sentence)):
        yield from _judge(sentence, offset, report)


def _none_known(sentence: str, offset: int) -> Iterator[AllergyStatement]:
    for stated in absence.stated(sentence):
        nothing, start, end = stated.absence, stated.start, stated.end
        if (
            _about_allergies(nothing)
            and not _GOES_ON.match(sentence, end)
            and not allergens.mentions(sentence[start:end])
        ):
            doubted = any(cue.meaning is Meaning.SUSPECTED for cue in _cues(sentence, start, end))
            confidence = HEDGED if doubted else SURE
            yield AllergyStatement(_concept(nothing), False, "", None, confidence, offset + start, offset + end)


def _about_allergies(nothing: absence.Absence) -> bool:
    return nothing.meaning is Meaning.NONE and nothing.about.endswith("allergy")


def _concept(nothing: absence.Absence) -> CodedConcept:
    assert nothing.concept is not None, f"no code says that there is no {nothing.about}"
    return nothing.concept


def _judge(sentence: str, offset: int, report: Reported) -> Iterator[AllergyStatement]:
    """The span includes the words that deny or doubt, so that the quotation says what the fact says.

    That a reaction did not come is no statement about an allergy.
    """
    cues = _cues(sentence, report.start, report.end)
    denial = next((cue for cue in cues if cue.meaning in {Meaning.NONE, Meaning.RULED_OUT}), None)
    doubt = next((cue for cue in cues if cue.meaning is Meaning.SUSPECTED), None)
    if (denial and report.reaction_leads) or any(cue.meaning is Meaning.OTHER_PERSON for cue in cues):
        return
    year = None if denial else _YEAR.search(sentence, report.end, report.end + _YEAR_WITHIN)
    spoken = [cue for cue in (denial, doubt) if cue]
    for allergen in report.name.allergens:
        yield AllergyStatement(
            substance=allergens.concept_of(allergen),
            present=denial is None,
            reaction="" if denial else _reaction(sentence, report),
            year=int(year[1]) if year else None,
            confidence=HEDGED if doubt else SURE,
            start=offset + min([report.start, *(cue.start for cue in spoken)]),
            end=offset + max([report.end, *(cue.end for cue in spoken)]),
        )


def _cues(sentence: str, start: int, end: int) -> list[Cue]:
    """The cues beside a statement, from the comma before it on; those after it may follow a remark or a year."""
    begin = max(sentence.rfind(",", 0, start), sentence.rfind(":", 0, start)) + 1
    aside = _ASIDE.match(sentence, end)
    cues = (*absence.cues(sentence, start, end), *absence.cues(sentence, start, aside.end() if aside else end))
    return [cue for cue in dict.fromkeys(cues) if cue.start >= begin]


def _reaction(sentence: str, report: Reported) -> str:
    """The reaction in the lead, else in a short remark right after the substance and before the next one."""
    seen = _SEEN.search(sentence, report.start, report.lead_end) or _remark(sentence, report.end)
    return seen[0].lower() if seen else ""


def _remark(sentence: str, end: int) -> re.Match[str] | None:
    remark = _SEEN.search(sentence, end, end + 2 * _YEAR_WITHIN)
    near = remark is not None and remark.start() - end <= _REMARK
    return remark if remark and near and not allergens.mentions(sentence[end : remark.start()]) else None
