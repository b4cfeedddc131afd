"""Images that others build, each by its digest wherever one is known (deploy/images.toml)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supply import places

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DIGEST_BEHIND = r"(?:@sha256:[0-9a-f]{64})?"
# Every file that names an image.
FILES = (
    "deploy/docker/Dockerfile",
    "deploy/docker/Dockerfile.triton",
    "deploy/compose/compose.yaml",
    "helm/longitude/values.yaml",
)


class ImageError(Exception):
    """The list of images is wrong; the text says where."""


@dataclass(frozen=True)
class Image:
    """An image of somebody else's, and what it is there for."""

    name: str
    tag: str
    digest: str
    use: str

    @property
    def reference(self) -> str:
        """As an engine pulls it: where a digest stands, it decides, and the tag is for people."""
        return f"{self.name}:{self.tag}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"


def read_images(file: Path = places.IMAGES) -> list[Image]:
    """The list; ImageError names an image whose digest is none."""
    images = [Image(**row) for row in tomllib.loads(file.read_text(encoding="utf-8"))["images"]]
    for image in images:
        if image.digest and not DIGEST.fullmatch(image.digest):
            raise ImageError(f"{image.name}: a digest is sha256: and 64 hexadecimal digits, or empty")
    return images


def pinned(text: str, images: Iterable[Image]) -> str:
    """The text of a file, with the listed tag and digest wherever it names a listed image."""
    for image in images:
        named = rf"(?<![\w./-]){re.escape(image.name)}:[A-Za-z0-9_][\w.-]*{_DIGEST_BEHIND}"
        text = re.sub(named, image.reference, text)
    return text


def pin() -> list[str]:
    """Write them into every file that names an image; the files that changed."""
    images, changed = read_images(), []
    for name in FILES:
        file = places.REPOSITORY / name
        before = file.read_text(encoding="utf-8")
        after = pinned(before, images)
        if after != before:
            file.write_text(after, encoding="utf-8")
            changed.append(name)
    return changed
