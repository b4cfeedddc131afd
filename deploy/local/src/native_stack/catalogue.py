"""Every part of the stack by name, in the order they are stopped backwards."""

from native_stack import kafka, postgres, seaweedfs, services, triton
from native_stack.part import Part, Site

BACKENDS = ("postgres", "objects", "kafka", "triton")
SERVICES = tuple(services.NEEDS)
PARTS = (*BACKENDS, *SERVICES)
CREDENTIALS = (
    "objects_access_key",
    "objects_secret_key",
    "postgres_postgres",
    *(f"postgres_{owner}" for owner in postgres.OWNERS),
)
_BUILDERS = {"kafka": kafka.part, "postgres": postgres.part, "objects": seaweedfs.part, "triton": triton.part}


def build(name: str, site: Site) -> Part:
    """The part of that name; KeyError if there is none."""
    if name in _BUILDERS:
        return _BUILDERS[name](site)
    return services.part(name, site)


def endpoints(site: Site) -> dict[str, str]:
    """What a client of the stack needs, as the lines of var/stack.env; only what this stack runs."""
    sockets = {"MLLP": "mllp", "DICOM": "dicom", "KAFKA": "kafka", "OBJECTS": "objects", "TRITON": "triton"}
    sockets |= {"TRITON_HTTP": "triton_http"}
    sockets |= {name.upper(): name for name in SERVICES}
    sockets |= {f"{name.upper()}_HTTP": f"{name}_http" for name in SERVICES}
    lines = {f"LONGITUDE_{key}": site.address(port) for key, port in sockets.items() if _runs(port, site)}
    if "objects" in site.parts:
        lines |= {f"LONGITUDE_{key.upper()}": site.credentials[key] for key in CREDENTIALS[:2]}
    if "postgres" in site.parts:
        roles = ("postgres", *postgres.OWNERS)
        lines |= {f"LONGITUDE_POSTGRES_{role.upper()}": postgres.dsn(site, role) for role in roles}
    return lines


def _runs(port: str, site: Site) -> bool:
    owner = {"mllp": "ingestion", "dicom": "ingestion"}.get(port, port.removesuffix("_http"))
    return owner in site.parts
