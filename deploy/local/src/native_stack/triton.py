"""NVIDIA Triton: the server and Python backend inside the `nvidia-pytriton` wheel, run by itself on a CPU.

Serves the models of deploy/triton/models that are asked for; a model that does not load ends the server. Its model
repository is the stack's own: links to those models, and beside them the versions that were published here.
"""

import asyncio
import ctypes.util
import hashlib
import os
import secrets
import shutil
import sys
import sysconfig
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from contracts.triton import KEY

from native_stack import authority
from native_stack import layout as places
from native_stack.part import Command, Part, PartError, Site, inherited_environment, private_word, until_http_ok
from native_stack.ports import HOST

_SERVER = places.SHARED / "triton-server"
# What only an operator may ask of Triton: loading a model runs its code.
_CONTROL = "model-repository,shared-memory,trace,logging"
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  Triton's Python backend puts its regions here


def part(site: Site) -> Part:
    """Triton as the supervisor starts it."""
    ready = partial(until_http_ok, f"http://{site.address('triton_http')}/v2/health/ready")
    return Part(name="triton", prepare=partial(_prepare, site), until_ready=ready, ready_within_s=300)


def available_models() -> tuple[str, ...]:
    """The models of the repository, by name."""
    return tuple(sorted(path.parent.name for path in places.MODEL_REPOSITORY.glob("*/config.pbtxt")))


async def _prepare(site: Site) -> Command:
    if "reasoner" in site.models and not places.MODELS.joinpath(places.base_model(), "manifest.json").exists():
        raise PartError(f"the reasoner's weights {places.base_model()} are not in {places.MODELS}; run `make models`")
    await asyncio.to_thread(_copy_server)
    prefix = _shared_memory_prefix(site)
    _remove_shared_memory(prefix)
    models = tuple(f"--load-model={name}" for name in site.models)
    folder = site.layout.data("triton")
    argv = (
        str(_SERVER / "bin" / "tritonserver"),
        f"--model-repository={_linked_repository(folder)}",
        f"--backend-directory={_SERVER / 'backends'}",
        "--model-control-mode=explicit",
        *models,
        *_listeners(site),
        *_shown(site),
        f"--backend-config=python,shm-region-prefix-name={prefix}",
        "--exit-timeout-secs=5",
        "--disable-auto-complete-config",
    )
    return Command(argv, _environment(), folder)


def _linked_repository(folder: Path) -> Path:
    """The stack's model repository: real folders, in which everything that comes with the code is a link."""
    repository = folder / "models"
    for source in places.MODEL_REPOSITORY.glob("*/*"):
        link = repository / source.parent.name / source.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(source)
    return repository


def _listeners(site: Site) -> tuple[str, ...]:
    addresses = (f"--http-address={HOST}", f"--grpc-address={HOST}", f"--metrics-address={HOST}")
    http, grpc, metrics = (site.ports[name] for name in ("triton_http", "triton", "triton_metrics"))
    return (*addresses, f"--http-port={http}", f"--grpc-port={grpc}", f"--metrics-port={metrics}")


def _shown(site: Site) -> tuple[str, ...]:
    """GRPC by mutual TLS; of HTTP, which has none, health alone is open: nobody has the word for the rest."""
    files = authority.settings(site.certificates, "triton")
    certificate, key, root = (files[f"LONGITUDE_TLS_{which}"] for which in ("CERTIFICATE", "KEY", "AUTHORITY"))
    grpc = ("--grpc-use-ssl-mutual=true", f"--grpc-server-cert={certificate}", f"--grpc-server-key={key}")
    closed = "metadata,inference,shared-memory,model-config,model-repository,statistics,trace,logging"
    return (
        *grpc,
        f"--grpc-root-cert={root}",
        f"--grpc-restricted-protocol={_CONTROL}:{KEY}={private_word(_control_file(site.certificates))}",
        f"--http-restricted-api={closed}:{secrets.token_hex(8)}={secrets.token_hex(16)}",
    )


def issue(folder: Path) -> None:
    """The word of the control protocol, where there is none."""
    private_word(_control_file(folder))


def operator_settings(folder: Path) -> dict[str, str]:
    """The LONGITUDE_TRITON_* variables of who loads models: stacks that share certificates share the word."""
    return {"LONGITUDE_TRITON_CONTROL_FILE": str(_control_file(folder))}


def _control_file(folder: Path) -> Path:
    return folder / "triton.control-word"


def _shared_memory_prefix(site: Site) -> str:
    """The same for every start of one stack, so that what a killed server left can be removed."""
    return f"longitude_{hashlib.sha256(str(site.layout.directory).encode()).hexdigest()[:12]}_"


def _remove_shared_memory(prefix: str) -> None:
    """What an earlier server of this stack left when it was killed."""
    for region in _SHARED_MEMORY.glob(f"{prefix}*"):
        region.unlink()


def _environment() -> dict[str, str]:
    libraries = f"{_wheel('pytriton').parent / 'nvidia_pytriton.libs'}:{_libpython_folder()}"
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    own = {"LD_LIBRARY_PATH": libraries, "PATH": path, "LONGITUDE_MODELS_DIR": str(places.MODELS)}
    # Threads that wait give their core away: several networks share a few cores here.
    own["OMP_WAIT_POLICY"] = "PASSIVE"
    return inherited_environment() | own


def _copy_server() -> None:
    """Bring server, Python backend and the stub of this Python version together in var/triton-server, once."""
    with places.only_one("triton-server"):
        if _SERVER.exists():
            return
        source = _wheel("pytriton") / "tritonserver"
        fresh = _SERVER.with_name("triton-server.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(source, fresh, ignore=shutil.ignore_patterns("python_backend_stubs"))
        stub = source / "python_backend_stubs" / _VERSION / "triton_python_backend_stub"
        shutil.copy2(stub, fresh / "backends" / "python")
        for program in (fresh / "bin" / "tritonserver", fresh / "backends" / "python" / stub.name):
            program.chmod(0o755)
        fresh.rename(_SERVER)


def _wheel(package: str) -> Path:
    """Where a package lies, found without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PartError(f"the package {package} is not installed; run `make install`")
    return Path(spec.submodule_search_locations[0])


def _libpython_folder() -> str:
    """The folder of the shared library of this Python, which the backend embeds."""
    folder = str(sysconfig.get_config_var("LIBDIR"))
    if next(Path(folder).glob(f"libpython{_VERSION}.so*"), None) or ctypes.util.find_library(f"python{_VERSION}"):
        return folder
    raise PartError(f"libpython{_VERSION}.so is not installed; on Debian: apt-get install libpython{_VERSION}")
