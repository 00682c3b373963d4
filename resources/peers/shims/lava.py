"""Lets lava-nc 0.10 load on Python 3.11 and later.

Its data classes have instances of other data classes as defaults.  Since 3.11 a default must have a hash, and
a data class that compares by value has none unless it asks for one; so those of Lava are made to ask.
"""

import dataclasses

_plain = dataclasses.dataclass


def _dataclass(cls=None, /, **options):
    if cls is None:
        return lambda decorated: _dataclass(decorated, **options)
    lacks_hash = options.get("eq", True) and not options.get("frozen") and "__hash__" not in vars(cls)
    if lacks_hash and cls.__module__.partition(".")[0] == "lava":
        options.setdefault("unsafe_hash", True)
    return _plain(cls, **options)


dataclasses.dataclass = _dataclass
