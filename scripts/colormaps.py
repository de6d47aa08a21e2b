"""Writes pkg/heatmap/colormaps.txt: a line for each of Matplotlib's color maps that heat maps
can use, with its name and its 256 colors as RRGGBB.

    pip install matplotlib && python scripts/colormaps.py > pkg/heatmap/colormaps.txt

viridis and inferno are in the public domain (CC0), turbo is Google's (Apache License 2.0).
"""

from matplotlib import colormaps
from matplotlib.colors import to_hex

for name in ("viridis", "inferno", "turbo", "jet"):
    colors = colormaps[name].resampled(256)
    print(name, "".join(to_hex(colors(i))[1:] for i in range(256)))
