"""Susceptibilities: of which organism they are, and how their interpretation is written."""

import re

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts

# HL7 v2.5.1 table 0078: the letters, and the words for them.
_INTERPRETATIONS = {
    "s": "S", "susceptible": "S", "sensitive": "S",
    "i": "I", "intermediate": "I",
    "r": "R", "resistant": "R",
}  # fmt: skip


def read(word: str) -> str:
    """The letter of a word of interpretation; empty for any other word."""
    return _INTERPRETATIONS.get(word.strip().lower(), "")


def interpretation(fact: ClinicalFact) -> str:
    """Of a susceptibility: its value, else its flag."""
    said = (fact.text, fact.coded.code, fact.coded.display, fact.abnormal_flag) if facts.organism(fact) else ()
    return next(filter(None, map(read, said)), "")


def spellings(fact: ClinicalFact) -> tuple[str, ...]:
    """Every word for the interpretation of a susceptibility, and the letter of its genus."""
    own = interpretation(fact)
    said = (word for word, letter in _INTERPRETATIONS.items() if letter == own)
    return (*said, facts.organism(fact)[:1])


def names(text: str, organism: str) -> bool:
    """Whether a text names an organism, in full or with its genus as a letter: `E. coli`."""
    genus, _, species = organism.partition(" ")
    written = [re.escape(organism)]
    if species:
        written.append(rf"{re.escape(genus[:1])}\.? ?{re.escape(species)}")
    return re.search(rf"(?<!\w)(?:{'|'.join(written)})(?!\w)", text, re.IGNORECASE) is not None
