"""`--faults=long` kills every part at several places of the story; the short form kills each once."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", choices=["short", "long"], default="short", help="how many places to kill at")
