"""A licence is what a package says in SPDX's terms, or nothing; of a choice one allowed licence is enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from supply.licences import Licences, Policy, expression_of, read_policy

POLICY = Policy(frozenset({"MIT", "Apache-2.0"}), frozenset({"GPL-3.0-only"}), {"MIT License": "MIT"}, {"odd": "MIT"})


@pytest.mark.parametrize(
    ("expression", "shipped", "allowed"),
    [
        ("MIT", True, True),
        ("MIT OR GPL-3.0-only", True, True),
        ("MIT AND GPL-3.0-only", True, False),
        ("(MIT OR GPL-3.0-only) AND Apache-2.0", True, True),
        ("Apache-2.0 WITH LLVM-exception", True, False),
        ("GPL-3.0-only", True, False),
        ("GPL-3.0-only", False, True),
        ("MIT AND GPL-3.0-only", False, True),
        ("AGPL-3.0-only", False, False),
    ],
)
def test_all_that_bind_must_be_allowed_and_of_a_choice_one(expression: str, *, shipped: bool, allowed: bool) -> None:
    assert POLICY.allows(expression, shipped=shipped) is allowed


@given(st.lists(st.sampled_from(["MIT", "Apache-2.0", "GPL-3.0-only", "Zlib"]), min_size=1, max_size=4))
def test_and_is_as_strict_as_its_strictest_and_or_as_its_mildest(names: list[str]) -> None:
    each = [POLICY.allows(name, shipped=True) for name in names]
    assert POLICY.allows(" AND ".join(names), shipped=True) is all(each)
    assert POLICY.allows(" OR ".join(names), shipped=True) is any(each)


@pytest.mark.parametrize(
    ("name", "expression", "text", "classifiers", "meaning"),
    [
        ("a", "ISC", "MIT License", [], "ISC"),
        ("odd", None, "see the file", [], "MIT"),
        ("a", None, "MIT License", [], "MIT"),
        ("a", None, None, ["License :: OSI Approved :: MIT License"], "MIT"),
        ("a", None, "GPL-3.0", [], "GPL-3.0-only"),
        ("a", None, "Copyright (c) 2020\nAll rights reserved", [], None),
        ("a", None, "BSD", ["License :: OSI Approved :: BSD License"], None),
        ("a", None, "ask us, please", [], None),
        ("a", None, None, [], None),
    ],
)
def test_a_licence_is_read_or_is_not_known(
    name: str, expression: str | None, text: str | None, classifiers: list[str], meaning: str | None
) -> None:
    assert expression_of(POLICY, name, expression, text, classifiers) == meaning


def test_what_is_not_installed_here_is_taken_from_the_record() -> None:
    licences = Licences(POLICY, {"nowhere-installed": "ISC"})
    assert licences.of("nowhere-installed") == "ISC"
    assert licences.of("recorded-nowhere") is None


def test_every_identifier_of_the_policy_is_one_that_spdx_knows_or_our_own() -> None:
    policy = read_policy()
    for identifier in policy.shipped | policy.tools | set(policy.texts.values()) | set(policy.packages.values()):
        words = identifier.replace("(", " ").replace(")", " ").split()
        for word in set(words) - {"AND", "OR", "WITH"}:
            assert word.startswith("LicenseRef-") or expression_of(POLICY, "a", None, word, []) or "xception" in word
