"""Lies that nobody thought of: true sentences about a patient with a part of another true one in its place.

Every part (a day, a value, a drug, a state) is the patient's own and stands elsewhere in what is said, so that no word
and no number is foreign to the record: only what belongs to what is wrong.
"""

import random
import re
from collections.abc import Iterator, Sequence

from testkit.stories import Story

from tests.evals.lies import TAKEN
from tests.evals.score import judge_of

# Parts that may stand in each other's place.
_PARTS = (
    re.compile(r"\d{4}-\d\d-\d\d"),
    re.compile(r"(?<![\d-])\d+(?:\.\d+)?(?= ?(?:mg/dL|umol/L|mmol/L|g/dL|mL/min|%))"),
    re.compile(r"\b(?:mg/dL|umol/L|mmol/L|g/dL)(?!\w)"),
    TAKEN,
    re.compile(r"\b(?:creatinine|eGFR|haemoglobin|HbA1c|potassium)\b", re.IGNORECASE),
    re.compile(r"\b(?:active since|stopped on|ordered on)\b"),
    re.compile(r"\b(?:once|twice|three times|four times) daily\b"),
    re.compile(r"\b[\d.]+(?= mg [Oo]ral)"),
    re.compile(r"\b(?:rose|fell|stayed about the same)\b"),
    re.compile(r"\bG[1-5][ab]?\b"),
    re.compile(r"\b(?:Problem|Allergy)(?=: )"),
)
_OTHERS = 2


def false_ones(story: Story, texts: Sequence[str], chance: random.Random) -> Iterator[str]:
    """Those that the judge, who knows the story, finds false."""
    judge = judge_of(story)
    return (text for text in recombined(texts, chance) if any(claim.problem for claim in judge.claims(text)))


def recombined(texts: Sequence[str], chance: random.Random) -> Iterator[str]:
    """Each part of each text, quotations left out, in turn replaced by at most two others of its sort."""
    leads = list(dict.fromkeys(text.partition("“")[0].strip() for text in texts))
    for part in _PARTS:
        spelt = {match.group().lower(): match.group() for lead in leads for match in part.finditer(lead)}
        for lead in leads:
            for match in part.finditer(lead):
                others = [each for each in sorted(spelt) if each != match.group().lower()]
                for other in chance.sample(others, min(_OTHERS, len(others))):
                    yield lead[: match.start()] + spelt[other] + lead[match.end() :]
