"""The receiver of hapi/Receiver.java: fetched by Maven and compiled once, then run on a port of its own."""

import hashlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from native_stack.layout import SHARED, only_one

from tests.benchmarks.java import properties

_SOURCE = Path(__file__).parent / "hapi"
_DIGEST = hashlib.sha256((_SOURCE / "Receiver.java").read_bytes()).hexdigest()[:8]
_BUILT = SHARED / f"hapi-receiver-{_DIGEST}"


@contextmanager
def receiving(bootstrap: str, topic: str) -> Iterator[str]:
    """Its endpoint while inside: it publishes to the topic with `acks=all`, then acknowledges."""
    _build()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with properties(bootstrap) as told:
        argv = [_java(), "-cp", f"{_BUILT}/*:{_BUILT}", "Receiver", str(port), str(told), topic]
        # HAPI keeps the file of its message numbers in the working directory.
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=_BUILT) as process:
            try:
                assert process.stdout is not None
                if process.stdout.readline().strip() != "listening":
                    raise RuntimeError("the HAPI receiver does not start")
                yield f"127.0.0.1:{port}"
            finally:
                process.terminate()


def _build() -> None:
    with only_one("hapi-receiver"):
        if _BUILT.exists():
            return
        fresh = _BUILT.with_name(f"{_BUILT.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        copy = ("dependency:copy-dependencies", f"-DoutputDirectory={fresh}")
        subprocess.run(["mvn", "-q", "-B", "-f", _SOURCE / "pom.xml", *copy], check=True, timeout=600)
        jars = ":".join(map(str, fresh.glob("*.jar")))
        compiler = ("-cp", jars, "org.eclipse.jdt.internal.compiler.batch.Main", "-17", "-cp", jars, "-d", str(fresh))
        subprocess.run([_java(), *compiler, _SOURCE / "Receiver.java"], check=True, timeout=300)
        fresh.rename(_BUILT)


def _java() -> str:
    java = shutil.which("java")
    assert java is not None
    return java
