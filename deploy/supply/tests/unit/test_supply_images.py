"""Every image that others build is on one list, and a digest that stands there is what every file names."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from supply import places
from supply.images import FILES, Image, ImageError, pinned, read_images

IMAGES = read_images()
# As if all of them were known.
KNOWN = [replace(image, digest=f"sha256:{number:064x}") for number, image in enumerate(IMAGES)]
TEXTS = {name: (places.REPOSITORY / name).read_text() for name in FILES}
OWN = "longitude/"


def _named(name: str, text: str) -> set[str]:
    """Images that a file pulls, ours left out."""
    if "Dockerfile" in name:
        stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
        named = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages - {"${TRITON_IMAGE}"}
    elif "compose" in name:
        named = {part["image"] for part in yaml.safe_load(text)["services"].values()}
    else:
        named = {yaml.safe_load(text)["topics"]["image"]}
    return {image for image in named if not image.startswith(OWN)}


@pytest.mark.parametrize("name", FILES)
def test_a_file_names_listed_images_as_the_list_has_them(name: str) -> None:
    named = _named(name, TEXTS[name])
    assert named
    assert named <= {image.reference for image in IMAGES}


def test_no_image_is_listed_that_nothing_names() -> None:
    assert set().union(*(_named(*each) for each in TEXTS.items())) == {image.reference for image in IMAGES}


def test_every_file_that_names_an_image_is_held_to_the_list() -> None:
    dockerfiles = {f"deploy/docker/{path.name}" for path in (places.REPOSITORY / "deploy/docker").glob("Dockerfile*")}
    assert dockerfiles <= set(FILES)
    for path in (places.REPOSITORY / "helm/longitude/templates").glob("*"):
        assert not re.search(r"image: *[\w.]+/", path.read_text()), path.name


@pytest.mark.parametrize("name", FILES)
def test_a_digest_that_is_given_is_what_the_file_pulls(name: str) -> None:
    text = pinned(TEXTS[name], KNOWN)
    assert _named(name, text) <= {image.reference for image in KNOWN}
    assert all("@sha256:" in image for image in _named(name, text))
    assert pinned(text, KNOWN) == text, "a second time changes nothing"
    assert pinned(text, IMAGES) == TEXTS[name], "and it can be taken back"


def test_hadolint_accepts_images_by_digest(tmp_path: Path) -> None:
    for name in (name for name in FILES if "Dockerfile" in name):
        (tmp_path / Path(name).name).write_text(pinned(TEXTS[name], KNOWN))
    config = places.REPOSITORY / "deploy/docker/hadolint.yaml"
    hadolint = Path(sys.executable).parent / "hadolint"
    command = [str(word) for word in (hadolint, "--config", config, *sorted(tmp_path.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


def test_a_name_within_another_is_left_alone() -> None:
    image = Image("docker.io/library/python", "3.11", f"sha256:{1:064x}", "")
    text = "FROM mirror.example.org/docker.io/library/python:3.11\nFROM docker.io/library/python-next:3.11\n"
    assert pinned(text, [image]) == text


@pytest.mark.parametrize("digest", ["sha256:12", "md5:" + "0" * 32, "0" * 64])
def test_what_is_no_digest_is_refused(tmp_path: Path, digest: str) -> None:
    file = tmp_path / "images.toml"
    file.write_text(f'[[images]]\nname = "a"\ntag = "1"\ndigest = "{digest}"\nuse = ""\n')
    with pytest.raises(ImageError, match="a: a digest is sha256:"):
        read_images(file)
