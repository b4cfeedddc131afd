"""A real process: started, asked, told to end."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from testkit.calls import open_channel

SERVICE = """
from contextlib import asynccontextmanager
from servicekit import Process, main
from servicekit.settings import ServiceSettings

async def never():
    raise ConnectionError("postgres://user:secret@host")

@asynccontextmanager
async def app(settings, process):
    if settings.log_level == "ERROR":
        raise RuntimeError("PID|1||4711 EVERYWOMAN")
    if settings.log_level == "DEBUG":
        process.ready_when("postgres", never)
    if settings.log_level == "WARNING":
        process.works_without("kafka", never)
    async with process.grpc_server(settings.grpc_listen, []):
        yield

main("sample", ServiceSettings, app)
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Running:
    def __init__(self, folder: Path, level: str) -> None:
        self.http, self.grpc = free_port(), free_port()
        self.log = folder / "log"
        environment = os.environ | {
            "LONGITUDE_KAFKA": "127.0.0.1:1",
            "LONGITUDE_HTTP_LISTEN": f"127.0.0.1:{self.http}",
            "LONGITUDE_GRPC_LISTEN": f"127.0.0.1:{self.grpc}",
            "LONGITUDE_LOG_LEVEL": level,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVICE], env=environment, stderr=self.log.open("w"), cwd=folder
        )

    def page(self, name: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/{name}", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def until_ready(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if self.page("readyz")[1] != "starting\n":
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())


@pytest.fixture
def started(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    running = Running(tmp_path, getattr(request, "param", "INFO"))
    yield running
    running.process.kill()
    running.process.wait()


def test_a_service_answers_health_pages_and_grpc_health_and_ends_in_order(started: Running) -> None:
    started.until_ready()
    assert started.page("healthz") == (200, "ok\n")
    assert started.page("readyz") == (200, "ok\n")
    assert "process_" in started.page("metrics")[1]
    with open_channel(f"127.0.0.1:{started.grpc}") as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(timeout=30) == 0


@pytest.mark.parametrize("started", ["DEBUG"], indirect=True)
def test_a_service_whose_database_is_gone_is_not_ready_and_says_which(started: Running) -> None:
    started.until_ready()
    assert started.page("readyz") == (503, "postgres\n")
    assert "secret" not in started.log.read_text()


@pytest.mark.parametrize("started", ["WARNING"], indirect=True)
def test_a_service_that_works_without_what_is_gone_is_ready_and_says_so(started: Running) -> None:
    started.until_ready()
    assert started.page("readyz") == (200, "ok\nwithout kafka\n")


@pytest.mark.parametrize("started", ["ERROR"], indirect=True)
def test_an_app_that_cannot_start_ends_with_code_1_and_no_patient_data_in_its_log(started: Running) -> None:
    assert started.process.wait(timeout=30) == 1
    log = started.log.read_text()
    assert "RuntimeError" in log
    assert "EVERYWOMAN" not in log
