import json
import os
import signal
import stat
from pathlib import Path

from native_stack.identity import ProcessIdentity
from native_stack.layout import Layout
from native_stack.logs import tail
from native_stack.part import load_credentials
from native_stack.record import PartRecord, StackRecord
from native_stack.request import Request

ME = ProcessIdentity.of(os.getpid())
RECYCLED = ProcessIdentity(ME.pid, ME.started - 1)


def test_a_process_id_used_again_is_another_process() -> None:
    assert ME.alive()
    assert not RECYCLED.alive()


def test_a_process_id_used_again_is_never_signalled() -> None:
    RECYCLED.send(signal.SIGKILL)  # it would end this test
    RECYCLED.end(grace_s=0)
    assert ME.alive()


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    parts = {"kafka": PartRecord(state="ready", process=ME, start_seconds=5.2), "memory": PartRecord()}
    record = StackRecord("starting", ME, "/tmp/control", {"kafka": 9092}, parts)
    record.write(tmp_path / "stack.json")
    assert StackRecord.read(tmp_path / "stack.json") == record
    assert StackRecord.read(tmp_path / "none.json") is None


def test_the_record_of_another_version_is_still_understood(tmp_path: Path) -> None:
    StackRecord("ready", ME, "/tmp/control", {}, {"kafka": PartRecord(process=ME)}).write(tmp_path / "stack.json")
    raw = json.loads((tmp_path / "stack.json").read_text())
    raw["colour"] = raw["parts"]["kafka"]["colour"] = "blue"
    (tmp_path / "stack.json").write_text(json.dumps(raw))
    record = StackRecord.read(tmp_path / "stack.json")
    assert record is not None
    assert record.parts["kafka"].process == ME


def test_a_request_survives_its_way_to_the_supervisor() -> None:
    for owner in (ME, None):
        request = Request(
            "/somewhere",
            ("kafka",),
            ("embedder", "reasoner"),
            free_ports=True,
            owner=owner,
            elsewhere={"triton": "here:1"},
        )
        assert Request.from_json(request.to_json()) == request


def test_credentials_stay_the_same_and_are_the_owners_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    first = load_credentials(layout, ("a",))
    second = load_credentials(layout, ("a", "b"))
    assert second["a"] == first["a"] != second["b"]
    assert stat.S_IMODE(layout.credentials.stat().st_mode) == 0o600


def test_the_tail_of_a_log_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert "no log" in tail(log)
    log.write_text("".join(f"line {n} {'x' * 1000}\n" for n in range(100)))
    lines = tail(log).splitlines()
    assert len(lines) == 15
    assert lines[-1].startswith("    line 99 ")
    assert max(map(len, lines)) <= 404
