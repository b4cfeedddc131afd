"""The example patient, built once."""

import pytest
from testkit.patients import Patient, example_patient


@pytest.fixture(scope="session")
def patient() -> Patient:
    return example_patient()
