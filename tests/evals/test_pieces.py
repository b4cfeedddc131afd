"""A long measurement that was stopped goes on where it was, and never with what another commit measured."""

import json
import time
from functools import partial
from pathlib import Path

import pytest

from tests.evals import pieces
from tests.evals.pieces import Json, evenly, measured


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(pieces, "FOLDER", tmp_path)
    monkeypatch.setattr(pieces, "commit", lambda: "one")
    return tmp_path


def doubled(piece: range) -> Json:
    return {"sum": sum(piece) * 2}


def stopped(folder: Path, result: Json) -> None:
    """A run that measured the first piece."""
    line = json.dumps({"piece": str(range(2)), "result": result})
    (folder / "sums-7.part").write_text(json.dumps({"commit": "one"}) + f"\n{line}\n")


def test_what_was_measured_is_taken_up_and_the_rest_is_measured(folder: Path) -> None:
    stopped(folder, {"sum": -1})
    assert measured("sums", 7, range(4), 2, doubled) == [{"sum": -1}, {"sum": 10}]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("commit", ["another", "one-dirty"])
def test_what_another_commit_measured_is_measured_again(
    commit: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped(folder, {"sum": -1})
    monkeypatch.setattr(pieces, "commit", lambda: commit)
    assert measured("sums", 7, range(2), 2, doubled) == [{"sum": 2}]


def test_a_line_that_was_cut_off_is_measured_again(folder: Path) -> None:
    stopped(folder, {"sum": -1})
    with (folder / "sums-7.part").open("a") as file:
        file.write('{"piece": "range(2, 4)", "resu')
    assert measured("sums", 7, range(4), 2, doubled) == [{"sum": -1}, {"sum": 10}]


def test_a_failure_leaves_what_was_measured(folder: Path) -> None:
    stopped(folder, {"sum": -1})
    with pytest.raises(ZeroDivisionError):
        measured("sums", 7, range(4), 2, lambda piece: {"sum": 1 // 0 * piece.start})
    assert measured("sums", 7, range(4), 2, doubled) == [{"sum": -1}, {"sum": 10}]


def first_fails(path: Path, piece: range) -> Json:
    if not piece.start:
        raise ZeroDivisionError
    (path / str(piece.start)).touch()
    time.sleep(0.1)
    return doubled(piece)


def test_after_a_failure_only_the_pieces_that_run_already_are_ended(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        measured("sums", 7, range(30), 1, partial(first_fails, folder))
    assert len([each for each in folder.iterdir() if each.suffix != ".part"]) < 15


def test_every_process_gets_a_piece_where_there_is_more_than_one_number_for_each() -> None:
    assert [evenly(count, 8) for count in (1, 2, 3, 4, 100)] == [1, 2, 2, 2, 8]
