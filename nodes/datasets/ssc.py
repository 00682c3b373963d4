"""Spiking Speech Commands."""

from __future__ import annotations

from typing import ClassVar

from nodes.datasets._hdf5 import Heidelberg
from nodes.roles import DataInfo, Remote
from nodes.spec import node


@node("dataset.ssc", label="SSC", keywords=("heidelberg", "speech", "commands", "audio", "benchmark"))
class SSC(Heidelberg):
    """Spoken commands as spikes of an inner-ear model: 700 channels, 35 classes, official train/valid/test.

    Source: Cramer, Stradmann, Schemmel, Zenke, IEEE TNNLS 2020, from Speech Commands v0.02 (Warden 2018).
    """

    classes = 35
    prefix = "ssc"
    splits: ClassVar[tuple[str, ...]] = ("train", "valid", "test")
    info: ClassVar[DataInfo] = DataInfo(
        title="Spiking Speech Commands",
        licence="CC BY 4.0",
        source="https://zenkelab.org/resources/spiking-heidelberg-datasets-shd/",
        files=(
            Remote(
                "ssc_train.h5",
                "https://zenkelab.org/datasets/ssc_train.h5.zip",
                "md5:d102be95e7144fcc0553d1f45ba94170",
                unpack="zip",
            ),
            Remote(
                "ssc_valid.h5",
                "https://zenkelab.org/datasets/ssc_valid.h5.zip",
                "md5:b4eee3516a4a90dd0c71a6ac23a8ae43",
                unpack="zip",
            ),
            Remote(
                "ssc_test.h5",
                "https://zenkelab.org/datasets/ssc_test.h5.zip",
                "md5:a35ff1e9cffdd02a20eb850c17c37748",
                unpack="zip",
            ),
        ),
    )
