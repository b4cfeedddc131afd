"""The version of what shapes a brief: the same for the same, another for any other."""

import importlib
from pathlib import Path

import pytest
from reasoning.adapters import version as adapter
from reasoning.adapters.version import version


def test_the_same_is_the_same_and_what_is_set_differently_is_another() -> None:
    assert version("rows", "24.0") == version("rows", "24.0")
    assert len({version(), version(""), version("rows"), version("", "rows"), version("ro", "ws")}) == 5


def test_each_file_counts_and_what_the_interpreter_makes_of_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "shaping"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").touch()
    rows = package / "data" / "rows.toml"
    rows.write_text("one")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    monkeypatch.setattr(adapter, "PACKAGES", ("shaping",))
    before = version()
    (package / "__pycache__").mkdir(exist_ok=True)
    (package / "__pycache__" / "made.pyc").write_text("of it")
    assert version() == before
    rows.write_text("two")
    changed = version()
    rows.rename(rows.with_name("others.toml"))
    assert len({before, changed, version()}) == 3
