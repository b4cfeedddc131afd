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
    ("category", Verdict.CONTRADICTED): (100, 100),
    ("code", Verdict.SUPPORTED): (3321, 3321),
    ("correction", Verdict.SUPPORTED): (104, 104),
    ("correction", Verdict.CONTRADICTED): (109, 109),
    ("date", Verdict.SUPPORTED): (7746, 7746),
    ("date", Verdict.CONTRADICTED): (3414, 3414),
    ("date", Verdict.UNSUPPORTED): (881, 881),
    ("direction", Verdict.SUPPORTED): (596, 596),
    ("direction", Verdict.CONTRADICTED): (505, 505),
    ("direction", Verdict.UNSUPPORTED): (67, 67),
    ("dose", Verdict.SUPPORTED): (671, 671),
    ("dose", Verdict.CONTRADICTED): (706, 706),
    ("dose", Verdict.UNSUPPORTED): (706, 706),
    ("drug", Verdict.SUPPORTED): (910, 910),
    ("drug", Verdict.CONTRADICTED): (888, 888),
    ("drug", Verdict.UNSUPPORTED): (100, 100),
    ("experiencer", Verdict.CONTRADICTED): (379, 379),
    ("experiencer", Verdict.UNSUPPORTED): (127, 127),
    ("frequency", Verdict.SUPPORTED): (671, 671),
    ("frequency", Verdict.CONTRADICTED): (353, 353),
    ("frequency", Verdict.UNSUPPORTED): (706, 706),
    ("interval", Verdict.CONTRADICTED): (495, 495),
    ("laterality", Verdict.CONTRADICTED): (149, 149),
    ("negation", Verdict.CONTRADICTED): (425, 425),
    ("negation", Verdict.UNSUPPORTED): (253, 253),
    ("quote", Verdict.SUPPORTED): (123, 123),
    ("route", Verdict.SUPPORTED): (671, 671),
    ("route", Verdict.CONTRADICTED): (353, 353),
    ("route", Verdict.UNSUPPORTED): (706, 706),
    ("source", Verdict.SUPPORTED): (218, 218),
    ("status", Verdict.SUPPORTED): (849, 849),
    ("status", Verdict.CONTRADICTED): (771, 771),
    ("status", Verdict.UNSUPPORTED): (967, 967),
    ("term", Verdict.UNSUPPORTED): (4246, 6247),
    ("unit", Verdict.CONTRADICTED): (823, 823),
    ("value", Verdict.SUPPORTED): (5327, 5327),
    ("value", Verdict.CONTRADICTED): (1022, 1022),
}


def of(claim: Claim) -> float:
    """The probability that a claim's verdict is right."""
    right, given = COUNTS.get((claim.check, claim.verdict), (0, 0))
    return (right + 1) / (given + 2)
