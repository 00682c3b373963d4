"""The studio's fixtures: an off-screen window, a home of its own, and nothing left behind."""

from tests.studio.conftest import home, nothing_left, window  # noqa: F401
