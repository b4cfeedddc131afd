"""The README's example is run as it stands, from the folder that a reader would stand in."""

import re
from pathlib import Path

import pytest
from engine import ModelFolder

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_example_of_the_readme_runs(
    folder: ModelFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(folder.path.parents[2])
    exec(compile(example, str(README), "exec"), {})
    assert capsys.readouterr().out.strip().endswith("grammar_end")
