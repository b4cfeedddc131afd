"""The broker runs the jars that were pinned, byte for byte, and no other."""

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_stack import jars
from native_stack.part import PartError

WANTED = {f"{name}.jar": hashlib.sha256(name.encode()).hexdigest() for name in ("broker", "tools", "log")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in WANTED:
        (tmp_path / name).write_bytes(name.removesuffix(".jar").encode())
    return tmp_path


def test_pinned_jars_are_as_they_were_pinned(folder: Path) -> None:
    assert jars.differences(folder, WANTED) == []


def test_an_altered_a_missing_and_a_foreign_jar_are_each_named(folder: Path) -> None:
    (folder / "broker.jar").write_bytes(b"broker ")
    (folder / "tools.jar").unlink()
    (folder / "more.jar").write_bytes(b"")
    assert jars.differences(folder, WANTED) == [
        "broker.jar has other bytes", "more.jar is not pinned", "tools.jar is missing"
    ]  # fmt: skip


def test_a_folder_that_is_not_there_has_none_of_them(tmp_path: Path) -> None:
    assert len(jars.differences(tmp_path / "none", WANTED)) == len(WANTED)


def test_jars_that_differ_are_refused_and_the_pins_named(folder: Path) -> None:
    with pytest.raises(PartError, match=r"kafka-jars\.json pins, so it is not run: .*broker\.jar is not pinned"):
        jars.require(folder)


@given(st.data())
def test_no_single_byte_may_differ(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.binary(min_size=1, max_size=64)))
    wanted = {"a.jar": hashlib.sha256(content).hexdigest()}
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    folder = tmp_path_factory.mktemp("altered")
    (folder / "a.jar").write_bytes(content)
    assert jars.differences(folder, wanted) == ["a.jar has other bytes"]


def test_the_broker_that_is_pinned_is_the_one_of_the_pom() -> None:
    pom = jars.LOCK.with_name("pom.xml").read_text()
    (version,) = re.findall(r"<kafka\.version>(.+)</kafka\.version>", pom)
    pinned = jars.pinned()
    assert f"kafka_2.13-{version}.jar" in pinned
    assert f"kafka-tools-{version}.jar" in pinned
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in pinned.values())
