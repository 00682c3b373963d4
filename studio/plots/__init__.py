"""Live plots.  A plot is a widget in a module of this package::

@plot("raster", "Spike raster", ports=("spikes",), icon="raster")
class Raster(Plot): ...
"""
