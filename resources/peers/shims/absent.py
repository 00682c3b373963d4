"""Stand-ins for packages that a peer imports but does not need for what we run in it.

Rockpool and Sinabs import SynSense's `samna`, which drives boards and is not on PyPI (what has its name there
is an installer that downloads it from elsewhere); Lava-DL imports torchvision and OpenCV for its object
detection.  Without stand-ins the imports would end everything; with them only a use does, and says so.
"""

import importlib.abc
import importlib.machinery
import sys
import types


class _Names(type):
    """Gives a class for every name that is asked of it."""

    def __getattr__(cls, name):
        return _member(f"{cls.__module__}.{cls.__qualname__}", name)


def _member(owner, name):
    if name.startswith("__"):
        raise AttributeError(f"{owner} has no {name}")
    return _Names(name, (_Absent,), {"__module__": owner})


class _Absent(metaclass=_Names):
    """What a name of an absent package stands for: it can be named and subclassed, not made."""

    def __new__(cls, *arguments, **options):
        raise ImportError(f"{cls.__module__}.{cls.__qualname__} is not installed in this environment")


class _Module(types.ModuleType):
    """A module with a class for every name."""

    __version__ = "0"

    def __getattr__(self, name):
        return _member(self.__name__, name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the absent packages and everything that might be in them."""

    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Module(spec.name)

    def exec_module(self, module):
        pass


def stand_in(*names):
    """Let the packages of these names be imported; those that are really there go first."""
    sys.meta_path.append(_Finder(names))
