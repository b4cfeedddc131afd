"""The example patient, built once."""

import pytest
from grounding.reading.grammar import grammar
from testkit.patients import Patient, example_patient


# Compiled before the first example of a property test counts its time.
grammar()


@pytest.fixture(scope="session")
def patient() -> Patient:
    return example_patient()
