"""How much of the corpora of others the tables know (LONGITUDE_CORPUS: the corpora's folder)."""

import itertools
import os
from pathlib import Path

import pytest
from terminology.coverage import corpus
from terminology.coverage.known import is_known
from terminology.coverage.report import count, table

CORPUS = os.environ.get("LONGITUDE_CORPUS", "")

pytestmark = pytest.mark.skipif(
    not CORPUS, reason="LONGITUDE_CORPUS is not set: the reach of the tables is NOT measured on the corpora of others"
)


def test_99_of_100_coded_occurrences_of_the_corpora_have_a_known_concept() -> None:
    folders = [Path(CORPUS, name) for name in ("patients", "hl7")]
    places = itertools.chain.from_iterable(map(corpus.occurrences, folders))
    report = count((occurrence for _, occurrence in places), is_known)
    assert report.total.total() > 500_000
    assert report.share >= 0.99, table(report, 20)
