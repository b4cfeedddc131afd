"""What bilirubin, albumin and INR alone say of the Child-Pugh score (Pugh et al., Br J Surg 1973;60:646).

Ascites and encephalopathy are not read: each counts the one point that it has at least. Of the published limits of INR
the higher ones (1.7 and 2.3) count. The points are thus never more than those of the score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from longitude.record.v1.fact_pb2 import ClinicalFact

# Ascites and encephalopathy, both unknown.
_UNKNOWN = 2


@dataclass(frozen=True, slots=True)
class LiverFunction:
    """The fewest points of Child-Pugh, and the newest bilirubin, albumin and INR that they rest on."""

    points: int
    results: Sequence[ClinicalFact]


def least_points(bilirubin: Decimal, albumin: Decimal, inr: Decimal) -> int:
    """From 5 to 11, of bilirubin in mg/dL, albumin in g/dL and INR."""
    return (
        _UNKNOWN
        + (1 + (bilirubin >= 2) + (bilirubin > 3))
        + (1 + (albumin <= Decimal("3.5")) + (albumin < Decimal("2.8")))
        + (1 + (inr >= Decimal("1.7")) + (inr > Decimal("2.3")))
    )
