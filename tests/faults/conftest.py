"""`--faults=long` kills every part at several places of the story and in many campaigns; the short form is for CI."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", choices=["short", "long"], default="short", help="how many places to kill at")
    parser.addoption("--seed", type=int, help="repeat the campaign of kills that has this seed")
