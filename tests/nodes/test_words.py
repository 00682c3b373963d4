"""Numbers in sentences."""

from __future__ import annotations

import pytest

from nodes.words import number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e6, "1,000,000"), (-12345.5, "-12,345.5"), (10_000, "10,000"), (0.00002, "0.00002"), (20.0, "20"),
        (0.25, "0.25"), (0.0, "0"), (1e20, "1e+20"), (1e-12, "1e-12"), (-1e-8, "-0.00000001"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_a_person_writes_it(value: float, text: str) -> None:
    assert number(value) == text
    assert number(value, "ms") == f"{text} ms"
