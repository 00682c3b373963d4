"""Where the studio keeps what belongs to no document: settings, and the journals of what is not saved yet."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

HOME = "MYELIN_HOME"
"""Names a folder that holds both, instead of the platform's folders."""

APP = "myelin-studio"
ROOT = Path(__file__).resolve().parents[1]
PROJECTS = ROOT / "projects"
HELP = ROOT / "resources" / "help"


def config_folder() -> Path:
    """The folder of the settings file."""
    home = os.environ.get(HOME)
    return Path(home) if home else platformdirs.user_config_path(APP, appauthor=False)


def state_folder() -> Path:
    """The folder of crash journals, and of the notes that lead to them."""
    home = os.environ.get(HOME)
    return Path(home) / "state" if home else platformdirs.user_state_path(APP, appauthor=False)
