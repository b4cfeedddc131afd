"""Puts both facilities' messages and the film in the order in which they are sent, one file each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from demo.authoring import film, lakeside, northwest, page
from demo.authoring.segments import Draft, header


@dataclass(frozen=True)
class StoryFile:
    """`name` sorts in the order of sending."""

    name: str
    content: bytes


def files() -> list[StoryFile]:
    """The whole story."""
    drafts = sorted([*northwest.messages(), *lakeside.messages(page.render())], key=lambda draft: draft.at)
    timed = [(draft.at, name, content) for draft, (name, content) in zip(drafts, _issue(drafts), strict=True)]
    timed.append((film.AUTHORED, "northwest_chest_film.dcm", film.render()))
    ordered = sorted(timed, key=lambda item: item[0])
    return [StoryFile(f"{n:03d}_{name}", content) for n, (_, name, content) in enumerate(ordered, start=1)]


def write(folder: Path) -> list[StoryFile]:
    """Writes the story and removes files of an earlier one; other files stay."""
    for old in [*folder.glob("*.hl7"), *folder.glob("*.dcm")]:
        old.unlink()
    story = files()
    for item in story:
        (folder / item.name).write_bytes(item.content)
    return story


def _issue(drafts: list[Draft]) -> Iterator[tuple[str, bytes]]:
    """Gives each message its control id, numbered by facility."""
    numbers = {"NW": count(1), "LK": count(1)}
    for draft in drafts:
        control_id = f"{draft.dialect.prefix}{next(numbers[draft.dialect.prefix]):04d}"
        name = f"{draft.dialect.authority.lower()}_{draft.event.lower()}.hl7"
        yield name, draft.dialect.message(header(draft, control_id), draft.body)
