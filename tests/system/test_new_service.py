"""The local stack starts a service that it reads of for the first time, from nothing but the folder of that service."""

import urllib.request
from pathlib import Path

from tests.new_service import NAME, copy_with_it, run


def test_the_local_stack_starts_a_new_service(tmp_path: Path) -> None:
    root, folder = copy_with_it(tmp_path / "repository"), str(tmp_path / "stack")
    parts = f"kafka,postgres,objects,{NAME}"
    up = run(root, "-m", "native_stack", "up", "--dir", folder, "--free-ports", "--only", parts)
    try:
        assert up.returncode == 0, up.stdout + up.stderr
        lines = (tmp_path / "stack" / "stack.env").read_text(encoding="utf-8").splitlines()
        endpoints = dict(line.split("=", 1) for line in lines)
        with urllib.request.urlopen(f"http://{endpoints[f'LONGITUDE_{NAME.upper()}_HTTP']}/readyz") as page:
            assert page.status == 200
    finally:
        run(root, "-m", "native_stack", "down", "--dir", folder)
