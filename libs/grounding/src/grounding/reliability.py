"""How often each check was right when it gave a verdict, and the probability that follows.

The counts are printed by `python -m tests.evals.reliability` over stories that no check was tuned on, true statements
and lies; smoothed by Laplace's rule of succession, so that a verdict that was never seen wrong is not called certain.
"""

from grounding.claims import Claim, Verdict

# Of a verdict that was never measured.
UNKNOWN = 0.5
# (check, verdict) -> how often it was right, and how often it was given.
COUNTS: dict[tuple[str, Verdict], tuple[int, int]] = {
    ("absence", Verdict.SUPPORTED): (64, 64),
    ("category", Verdict.SUPPORTED): (160, 160),
    ("category", Verdict.CONTRADICTED): (128, 128),
    ("category", Verdict.UNSUPPORTED): (240, 240),
    ("code", Verdict.SUPPORTED): (3349, 3349),
    ("correction", Verdict.SUPPORTED): (104, 104),
    ("correction", Verdict.CONTRADICTED): (106, 106),
    ("date", Verdict.SUPPORTED): (7774, 7774),
    ("date", Verdict.CONTRADICTED): (11298, 11298),
    ("date", Verdict.UNSUPPORTED): (1119, 1119),
    ("direction", Verdict.SUPPORTED): (596, 596),
    ("direction", Verdict.CONTRADICTED): (2384, 2384),
    ("direction", Verdict.UNSUPPORTED): (65, 65),
    ("dose", Verdict.SUPPORTED): (671, 671),
    ("dose", Verdict.CONTRADICTED): (1940, 1940),
    ("dose", Verdict.UNSUPPORTED): (706, 706),
    ("drug", Verdict.SUPPORTED): (966, 966),
    ("drug", Verdict.CONTRADICTED): (1043, 1043),
    ("drug", Verdict.UNSUPPORTED): (128, 128),
    ("experiencer", Verdict.CONTRADICTED): (384, 384),
    ("experiencer", Verdict.UNSUPPORTED): (141, 141),
    ("frequency", Verdict.SUPPORTED): (671, 671),
    ("frequency", Verdict.CONTRADICTED): (678, 678),
    ("frequency", Verdict.UNSUPPORTED): (706, 706),
    ("interval", Verdict.CONTRADICTED): (495, 495),
    ("kind", Verdict.UNSUPPORTED): (425, 425),
    ("laterality", Verdict.CONTRADICTED): (149, 149),
    ("negation", Verdict.CONTRADICTED): (425, 425),
    ("negation", Verdict.UNSUPPORTED): (253, 253),
    ("quote", Verdict.SUPPORTED): (157, 157),
    ("route", Verdict.SUPPORTED): (671, 671),
    ("route", Verdict.CONTRADICTED): (353, 353),
    ("route", Verdict.UNSUPPORTED): (706, 706),
    ("source", Verdict.SUPPORTED): (264, 264),
    ("status", Verdict.SUPPORTED): (911, 911),
    ("status", Verdict.CONTRADICTED): (1530, 1530),
    ("status", Verdict.UNSUPPORTED): (1025, 1025),
    ("term", Verdict.UNSUPPORTED): (4586, 6627),
    ("unit", Verdict.CONTRADICTED): (3317, 3317),
    ("value", Verdict.SUPPORTED): (5327, 5327),
    ("value", Verdict.CONTRADICTED): (11906, 11906),
    ("value", Verdict.UNSUPPORTED): (709, 709),
}


def of(claim: Claim) -> float:
    """The probability that a claim's verdict is right."""
    right, given = COUNTS.get((claim.check, claim.verdict), (0, 0))
    return (right + 1) / (given + 2)
