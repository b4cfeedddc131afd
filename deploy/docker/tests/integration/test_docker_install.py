"""A service starts with what its image would get: a fresh environment, only those packages, only those sources."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from manifests import read_services

ROOT = Path(__file__).parents[4]
EX_CONFIG = 78


def _needs(what: str, service: str) -> list[str]:
    command = [sys.executable, str(ROOT / "deploy/docker/needs.py"), what, service]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()


# Those with torch are left out: it is 6 GB on disk. Of each, a setting that it does not start without.
SERVICES = [
    (name, "LONGITUDE_KAFKA")
    for name in read_services()
    if not any(line.startswith("torch==") for line in _needs("requirements", name))
]


@pytest.mark.parametrize(("service", "setting"), [*SERVICES, ("witness", "LONGITUDE_WITNESS_NAME")])
def test_a_service_starts_with_nothing_but_its_own_packages(service: str, setting: str, tmp_path: Path) -> None:
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    lines = tmp_path / "requirements.txt"
    lines.write_text("\n".join(_needs("requirements", service)) + "\n")
    python, packages = tmp_path / "venv/bin/python", tmp_path / "venv/lib/python3.11/site-packages"
    install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv")],
        [*install, "--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(lines)],
        [uv, "pip", "check", "--quiet", "--python", str(python)],
    ):
        subprocess.run(command, check=True, timeout=300)
    for folder in _needs("sources", service):
        shutil.copytree(ROOT / folder, packages, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    # As the processes start that decode what strangers send: no PYTHONPATH, no folder of their own.
    imported = [str(python), "-I", "-c", f"import {service}.app"]
    subprocess.run(imported, env=environment, cwd=tmp_path, check=True, timeout=120)
    started = [str(python), "-m", service]
    done = subprocess.run(
        started, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == EX_CONFIG
    assert f"{setting}: set it; it has no default" in done.stderr
