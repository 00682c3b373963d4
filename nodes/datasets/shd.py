"""Spiking Heidelberg Digits."""

from __future__ import annotations

from typing import ClassVar

from nodes.datasets._hdf5 import Heidelberg
from nodes.roles import DataInfo, Remote
from nodes.spec import node


@node("dataset.shd", label="SHD", keywords=("heidelberg", "speech", "digits", "audio", "benchmark"))
class SHD(Heidelberg):
    """Spoken digits, English and German, as spikes of an inner-ear model: 700 channels, 20 classes.

    8 156 training and 2 264 test samples.  Source: Cramer, Stradmann, Schemmel, Zenke, IEEE TNNLS 2020.
    It has no validation split: say by which protocol an accuracy was taken.
    """

    classes = 20
    prefix = "shd"
    info: ClassVar[DataInfo] = DataInfo(
        title="Spiking Heidelberg Digits",
        licence="CC BY 4.0",
        source="https://zenkelab.org/resources/spiking-heidelberg-datasets-shd/",
        files=(
            Remote(
                "shd_train.h5",
                "https://zenkelab.org/datasets/shd_train.h5.zip",
                "md5:f3252aeb598ac776c1b526422d90eecb",
                unpack="zip",
            ),
            Remote(
                "shd_test.h5",
                "https://zenkelab.org/datasets/shd_test.h5.zip",
                "md5:1503a5064faa34311c398fb0a1ed0a6f",
                unpack="zip",
            ),
        ),
    )
