"""What is remembered from one start to the next, in an ini file that may be deleted or damaged."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from studio import places

FILE = "studio.ini"


class Settings:
    """Named values with a default each: what is missing or of another kind counts as the default."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or places.config_folder()) / FILE
        self._store = QSettings(str(self.path), QSettings.Format.IniFormat)

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        value = self._store.value(key)
        return value if isinstance(value, str) else default

    def flag(self, key: str, default: bool) -> bool:
        """Yes or no."""
        return {"true": True, "false": False}.get(self.text(key).lower(), default)

    def texts(self, key: str) -> list[str]:
        """A list of texts; a list of one is read back as a text."""
        value = self._store.value(key)
        found = value if isinstance(value, list) else [value]
        return [text for text in found if isinstance(text, str) and text]

    def blob(self, key: str) -> QByteArray:
        """What Qt packs for itself, such as a layout of docks; empty by default."""
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()

    def put(self, key: str, value: str | bool | list[str] | QByteArray) -> None:
        """Remember a value."""
        self._store.setValue(key, str(value).lower() if isinstance(value, bool) else value)

    def sync(self) -> None:
        """Write what was put; a folder that cannot be written costs the settings, never the work."""
        self._store.sync()
