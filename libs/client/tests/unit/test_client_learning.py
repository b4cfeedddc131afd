"""What `longitude learn` shows of jobs, curves, reviews and versions."""

import io
from pathlib import Path

import pytest
from client import drawing
from client.cli import learn
from client.errors import ClientError
from client.terminal import Screen
from longitude.learning.v1 import learning_service_pb2 as pb
from longitude.learning.v1.events_pb2 import Figure, Gate, Version


def shown(show: object, *arguments: object) -> str:
    text = io.StringIO()
    show(Screen(file=text, width=160, highlight=False), *arguments)  # type: ignore[operator]
    return text.getvalue()


def test_a_job_says_how_far_it_is_and_how_long_it_still_takes() -> None:
    job = pb.Job(step=30, steps=120, seconds_left=125.0, figures=[Figure(name="loss", value=0.51234)])
    assert learn.progress(job) == "step 30 of 120, 2 min left  loss 0.5123"


def test_before_the_first_step_no_time_is_made_up() -> None:
    assert learn.progress(pb.Job(steps=120)) == "step 0 of 120"


@pytest.mark.parametrize(("seconds", "words"), [(8.4, "8 s"), (89.4, "89 s"), (300, "5 min"), (9000, "2.5 h")])
def test_a_duration_is_said_in_the_unit_that_says_most(seconds: float, words: str) -> None:
    assert learn.duration(seconds) == words


def test_a_failed_job_shows_why() -> None:
    job = pb.Job(job_id="j", recipe="r", steps=1, state=pb.JOB_STATE_FAILED, reason="recipe-missing: none")
    page = shown(learn.show_jobs, [job])
    assert "failed" in page
    assert "recipe-missing: none" in page


def test_a_curve_is_drawn_with_its_ends_and_its_bounds_in_figures() -> None:
    lines = drawing.curve("loss", [1, 2, 3], [4.0, 1.0, 2.0])
    assert lines[0] == "loss"
    assert lines[1].startswith("4 ┤")
    assert lines[drawing.ROWS].startswith("1 ┤")
    assert lines[-1].split() == ["4", "(step", "1)", "2", "(step", "3)"]


def test_one_point_is_no_curve() -> None:
    assert drawing.curve("loss", [1], [4.0]) == []


def test_the_report_shows_rates_states_and_who_is_left_out() -> None:
    answer = pb.ReportResponse(
        rows=[pb.RubricRow(name="model: removed", violated=1, reviewed=4, state=pb.ROW_STATE_NEW)],
        reviewers=[pb.Reviewer(reviewer="p" * 64, statements=50, one_sided=True)],
        episodes=3,
        reviews=2,
        not_collected=7,
    )
    page = shown(learn.show_report, answer, 30)
    for words in ("3 episodes and 2 reviews", "7 were not", "model: removed", "25 %", "new", "left out"):
        assert words in page, words


def test_a_version_shows_the_gates_that_it_failed() -> None:
    gates = [Gate(name="gold said", figure=0.6, bound=0.7, at_least=True), Gate(name="latency", passed=True)]
    entry = pb.VersionEntry(version=Version(version_id="v"), state=pb.VERSION_STATE_REFUSED, gates=gates)
    page = shown(learn.show_versions, [entry])
    assert "refused" in page
    assert "gold said 0.6" in page
    assert "latency" not in page


def test_a_file_of_gates_is_read_and_what_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "gates.json"
    file.write_text('[{"name": "gold said", "figure": 0.7, "bound": 0.6, "at_least": true}]')
    assert learn.read_gates(file) == [Gate(name="gold said", figure=0.7, bound=0.6, at_least=True)]
    for wrong in ("{", "3", '[{"nome": "x"}]', "[3]"):
        file.write_text(wrong)
        with pytest.raises(ClientError, match="not a list of gates"):
            learn.read_gates(file)
