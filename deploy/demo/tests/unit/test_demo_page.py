"""The page shows what happened, and nothing that did not."""

import io
from pathlib import Path

import pytest
from demo import page
from demo.deciding import Effort
from demo.sending import story_files
from demo.sparkline import sparkline
from demo.stages import Stages
from demo.waiting import awaited
from longitude.reasoning.v1.reasoning_service_pb2 import Progress
from rich.console import Console


@pytest.mark.parametrize(
    ("values", "line"),
    [([], ""), ([5.0, 5.0], "▄▄"), ([1.0, 2.0], "▁█"), ([68.0, 49.0, 28.0], "█▅▁"), ([0.0, 7.0, 3.5], "▁█▅")],
)
def test_a_trend_line_runs_from_the_lowest_to_the_highest_value(values: list[float], line: str) -> None:
    assert sparkline(values) == line


def test_everything_of_the_story_is_sent_in_the_order_of_names() -> None:
    files = story_files()
    assert len(files) >= 61
    assert [file.name for file in files] == sorted(file.name for file in files)
    assert {file.suffix for file in files} == {".hl7", ".dcm"}
    assert not any(file.suffix == ".md" for file in files)


def test_a_stage_is_timed_and_tells_the_last_thing_it_said() -> None:
    written = io.StringIO()
    stages = Stages(Console(file=written, width=100))
    with stages.stage("Send") as say:
        say("1 of 2")
        say("2 of 2")
    assert "Send" in written.getvalue()
    assert "2 of 2" in written.getvalue()
    assert stages.seconds["Send"] >= 0


def test_a_stage_that_fails_is_not_told_as_done() -> None:
    written = io.StringIO()
    stages = Stages(Console(file=written, width=100))
    with pytest.raises(ValueError, match="broken"), stages.stage("Send"):
        raise ValueError("broken")
    assert "✓" not in written.getvalue()
    assert stages.seconds == {}


def test_an_unknown_patient_is_waited_for() -> None:
    assert awaited(None, None) == ["the first message"]


def test_the_commands_to_try_next_are_commands_of_the_client() -> None:
    commands = Path(__file__).parents[4] / "libs/client/src/client/cli"
    text = "\n".join(path.read_text() for path in commands.rglob("*.py"))
    for command in page.TRY_NEXT:
        assert f'"{command.split()[1]}"' in text or f"def {command.split()[1]}" in text


def test_tokens_of_finished_actions_add_up_and_those_under_way_are_shown() -> None:
    effort = Effort()
    for action, tokens in (("", 3), ("", 7), ("state", 8), ("", 2)):
        effort.take(Progress(role="historian", action=action, tokens=tokens))
    assert (effort.steps, effort.tokens, effort.writing) == (1, 8, 2)
