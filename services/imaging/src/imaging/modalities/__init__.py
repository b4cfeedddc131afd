"""One folder for each kind of image that the service reads. Listing this folder is all the registration there is.

A folder is a package `<name>` whose module `modality` holds `MODALITY`, an `imaging.domain.modality.Modality`.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Triton's image has this package for the networks in it, and nothing that a modality needs beside them.
    from imaging.domain.modality import Modality


def known() -> "tuple[Modality[Any], ...]":
    """All of them, in the order of their names."""
    names = sorted(folder.name for folder in iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}.modality").MODALITY for name in names)
