"""How often each check was right when it gave a verdict, and the probability that follows.

The counts are printed by `python -m tests.evals.reliability` over stories that no check was tuned on, true statements
and lies; smoothed by Laplace's rule of succession, so that a verdict that was never seen wrong is not called certain.
"""

from grounding.claims import Claim, Verdict

# Of a verdict that was never measured.
UNKNOWN = 0.5
# (check, verdict) -> how often it was right, and how often it was given.
COUNTS: dict[tuple[str, Verdict], tuple[int, int]] = {
    ("absence", Verdict.SUPPORTED): (19, 19),
    ("absence", Verdict.UNSUPPORTED): (10, 10),
    ("allergy", Verdict.SUPPORTED): (20, 20),
    ("allergy", Verdict.UNSUPPORTED): (134, 134),
    ("category", Verdict.SUPPORTED): (30, 30),
    ("category", Verdict.CONTRADICTED): (39, 39),
    ("category", Verdict.UNSUPPORTED): (71, 71),
    ("code", Verdict.SUPPORTED): (33, 33),
    ("correction", Verdict.SUPPORTED): (19, 19),
    ("correction", Verdict.CONTRADICTED): (343, 343),
    ("correction", Verdict.UNSUPPORTED): (9, 9),
    ("date", Verdict.CONTRADICTED): (1034, 1034),
    ("date", Verdict.UNSUPPORTED): (1150, 1150),
    ("direction", Verdict.SUPPORTED): (190, 190),
    ("direction", Verdict.CONTRADICTED): (402, 402),
    ("direction", Verdict.UNSUPPORTED): (3, 3),
    ("dose", Verdict.SUPPORTED): (106, 106),
    ("dose", Verdict.CONTRADICTED): (406, 406),
    ("drug", Verdict.SUPPORTED): (172, 172),
    ("drug", Verdict.UNSUPPORTED): (300, 300),
    ("encounter", Verdict.SUPPORTED): (104, 104),
    ("encounter", Verdict.UNSUPPORTED): (39, 39),
    ("entry", Verdict.SUPPORTED): (34, 34),
    ("entry", Verdict.UNSUPPORTED): (42, 42),
    ("experiencer", Verdict.UNSUPPORTED): (110, 110),
    ("frequency", Verdict.SUPPORTED): (106, 106),
    ("frequency", Verdict.CONTRADICTED): (106, 106),
    ("instruction", Verdict.UNSUPPORTED): (78, 78),
    ("negation", Verdict.SUPPORTED): (4, 4),
    ("negation", Verdict.CONTRADICTED): (55, 55),
    ("problem", Verdict.SUPPORTED): (101, 101),
    ("problem", Verdict.UNSUPPORTED): (58, 58),
    ("quote", Verdict.SUPPORTED): (52, 52),
    ("reaction", Verdict.SUPPORTED): (20, 20),
    ("reading", Verdict.UNSUPPORTED): (1445, 1752),
    ("route", Verdict.SUPPORTED): (106, 106),
    ("route", Verdict.CONTRADICTED): (106, 106),
    ("sex", Verdict.CONTRADICTED): (29, 29),
    ("source", Verdict.SUPPORTED): (52, 52),
    ("status", Verdict.SUPPORTED): (150, 150),
    ("status", Verdict.CONTRADICTED): (164, 164),
    ("unit", Verdict.CONTRADICTED): (928, 928),
    ("value", Verdict.SUPPORTED): (986, 986),
    ("value", Verdict.CONTRADICTED): (4728, 4728),
    ("value", Verdict.UNSUPPORTED): (281, 281),
}


def of(claim: Claim) -> float:
    """The probability that a claim's verdict is right."""
    right, given = COUNTS.get((claim.check, claim.verdict), (0, 0))
    return (right + 1) / (given + 2)
