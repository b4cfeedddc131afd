"""A service that does not exist, and a copy of the repository that has it: one folder more, nothing else changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from manifests import REPOSITORY

NAME = "scheduling"
FOLDERS = ("libs", "services", "deploy", "helm", "tests", "requirements")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.dcm", ".mypy_cache", ".ruff_cache")
INSIDE = f"src/{NAME}"
FILES = {
    "README.md": "# Scheduling\n",
    "service.toml": """\
[sockets]
grpc = 50060
http = 8090
bookings = 2600
[events]
consumes = ["memory.record-updated.v1"]
[owns]
tables = true
buckets = ["scheduling-plans"]
[calls]
services.memory = ["GetTimeline"]
models = ["embedder"]
[settings]
SEAL_FILE = "{keys}/seal"
[runs]
replicas = 2
most = 3
cpu = "100m"
memory = "128Mi"
memory_limit = "256Mi"
""",
    "pyproject.toml": f"""\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "longitude-{NAME}"
version = "0.1.0"
dependencies = ["longitude-contracts", "longitude-eventbus", "longitude-servicekit"]
[tool.hatch.build.targets.wheel]
packages = ["{INSIDE}"]
""",
    "tests/unit/README": "",
    "tests/integration/README": "",
    f"{INSIDE}/py.typed": "",
    f"{INSIDE}/__init__.py": "",
    f"{INSIDE}/__main__.py": f'''"""Starts the process."""
from servicekit import main
from {NAME}.app import app
from {NAME}.settings import Settings

if __name__ == "__main__":
    main("{NAME}", Settings, app)
''',
    f"{INSIDE}/settings.py": '''"""What this service is told."""
from pathlib import Path
from servicekit.settings import Endpoint, ObjectStoreSettings, PostgresSettings, ServiceSettings

class Settings(PostgresSettings, ObjectStoreSettings, ServiceSettings):
    bookings_listen: Endpoint
    memory: Endpoint
    triton: Endpoint
    seal_file: Path
''',
    f"{INSIDE}/app.py": f'''"""The map."""
from contextlib import AsyncExitStack, asynccontextmanager
from contracts.topics import RECORD_UPDATED
from eventbus import EventBus
from servicekit import migrated
from {NAME}.handlers import on_record_updated

@asynccontextmanager
async def app(settings, process):
    await migrated(str(settings.postgres), "{NAME}", "{NAME}")
    bus = EventBus("{NAME}", settings.kafka)
    bus.subscribe(RECORD_UPDATED, on_record_updated)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bus.running(process))
        await stack.enter_async_context(process.grpc_server(settings.grpc_listen, []))
        yield
''',
    f"{INSIDE}/handlers.py": '"""One function for each event."""\nasync def on_record_updated(event):\n    return ()\n',
    f"{INSIDE}/domain/__init__.py": "",
    f"{INSIDE}/domain/slots.py": '"""Which hours are free."""\n',
    f"{INSIDE}/adapters/__init__.py": "",
    f"{INSIDE}/adapters/outside.py": '''"""Memory over gRPC, and what is kept on Triton and in objects."""
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub

MODEL, BUCKET = "embedder", "scheduling-plans"

def timeline(channel, request):
    return MemoryServiceStub(channel).GetTimeline(request)
''',
    f"{INSIDE}/migrations/__init__.py": "",
    f"{INSIDE}/migrations/0001_bookings.sql": "CREATE TABLE booking (id text PRIMARY KEY);\n",
    f"{INSIDE}/migrations/rights.toml": 'booking = ["SELECT", "INSERT"]\n',
}


def copy_with_it(root: Path) -> Path:
    """The repository below `root`, with the folder of the new service."""
    for folder in FOLDERS:
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=LEFT_OUT)
    for file in ("pyproject.toml", "LICENSE"):
        shutil.copy(REPOSITORY / file, root)
    # Weights and programs are made once for all.
    (REPOSITORY / "var").mkdir(exist_ok=True)
    (root / "var").symlink_to(REPOSITORY / "var")
    for name, text in FILES.items():
        path = root / "services" / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def run(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Python with these arguments, in the copy and with its code."""
    sources = sorted(str(path) for path in root.glob("*/*/src"))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sources, str(root)]), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=False)
