"""The example patient, built once."""

import pytest
from testkit.patients import Patient, example_patient

# Read once, so that grammar and books of codes are there before a property test counts the time of its first example.
example_patient().check("Hypertension.", "k")


@pytest.fixture(scope="session")
def patient() -> Patient:
    return example_patient()
