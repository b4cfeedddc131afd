"""Tiles and bundles against the examples of C2SP tlog-tiles."""

import pytest
from auditing.domain.tiles import Tile, bundle, grown
from hypothesis import given
from hypothesis import strategies as st


def test_a_path_groups_the_index_by_thousands() -> None:
    assert Tile(0, 1234067, 256).path == "tile/0/x001/x234/067"
    assert Tile(0, 1234067, 256).entries_path == "tile/entries/x001/x234/067"


def test_a_partial_tile_names_its_width() -> None:
    assert Tile(2, 0, 1).path == "tile/2/000.p/1"


def test_a_tree_of_70000_leaves_has_the_tiles_of_the_specification() -> None:
    tiles = grown(0, 70_000)
    assert [tile for tile in tiles if tile.level == 0 and tile.width < 256] == [Tile(0, 273, 112)]
    assert len([tile for tile in tiles if tile.level == 0]) == 274
    assert [tile for tile in tiles if tile.level == 1] == [Tile(1, 0, 256), Tile(1, 1, 17)]
    assert [tile for tile in tiles if tile.level == 2] == [Tile(2, 0, 1)]


def test_a_tree_of_256_leaves_has_a_full_tile_and_a_first_hash_above() -> None:
    assert grown(0, 256) == [Tile(0, 0, 256), Tile(1, 0, 1)]


def test_no_growth_needs_no_tile() -> None:
    assert grown(300, 300) == []
    assert grown(0, 0) == []


@given(st.integers(0, 200_000), st.integers(0, 3000))
def test_growing_in_two_steps_gives_every_full_tile_of_one_step(old: int, more: int) -> None:
    full = {tile for tile in grown(0, old + more) if tile.width == 256}
    assert full == {tile for tile in [*grown(0, old), *grown(old, old + more)] if tile.width == 256}


@given(st.integers(0, 200_000), st.integers(1, 3000))
def test_a_full_tile_is_written_once(old: int, more: int) -> None:
    before = {tile for tile in grown(0, old) if tile.width == 256}
    assert before.isdisjoint(grown(old, old + more))


def test_a_bundle_gives_each_entry_its_length() -> None:
    assert bundle([b"abc", b""]) == b"\x00\x03abc\x00\x00"


def test_an_entry_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="65536 bytes"):
        bundle([bytes(65_536)])
