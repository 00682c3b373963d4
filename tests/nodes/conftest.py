"""Markers of the node tests."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "brian2: compares with Brian2 (test extra); skipped where it is missing"
    )
