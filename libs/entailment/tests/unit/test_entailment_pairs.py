"""Labelled pairs and their parts."""

from collections import Counter
from pathlib import Path

import pytest
from entailment import pairs
from entailment.pairs import Pair, Part, part_of

PAIR = Pair("Potassium was 5,6 mmol/l – “high”.", "potassium 5.6", "contradicted", "stories", "value", Part.REPORT)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    pairs.write([PAIR, PAIR], tmp_path / "new" / "pairs.jsonl")
    assert pairs.read(tmp_path / "new" / "pairs.jsonl") == [PAIR, PAIR]


@pytest.mark.parametrize("line", ["{}", "no json", '{"part": "train"}', '{"part": "other"}'])
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str) -> None:
    pairs.write([PAIR], tmp_path / "pairs.jsonl")
    with (tmp_path / "pairs.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match="line 2"):
        pairs.read(tmp_path / "pairs.jsonl")


def test_a_group_is_in_one_part_and_the_parts_are_six_two_and_two_in_ten() -> None:
    groups = [f"note-{number}" for number in range(5000)]
    assert [part_of(group) for group in groups] == [part_of(group) for group in groups]
    shares = Counter(map(part_of, groups))
    assert shares[Part.TRAIN] / 5000 == pytest.approx(0.6, abs=0.03)
    assert shares[Part.REPORT] / 5000 == pytest.approx(0.2, abs=0.03)
