"""Where are presets and variants found, and how do they overlay into one configuration?

A preset (`NAME.toml`) says which data and recipe, a variant (`variants/NAME.toml`) which method; both hold the keys of
`RunConfig`. Layers, later ones win: defaults, the preset and what it extends, the variant and what it extends (after
each of them the preset's own strengths for it, `[variants.NAME]`), `--config FILE`, `--set KEY=VALUE` and the options
that stand for one key. Every value remembers the layer it came from.
"""

from wbtui.presets.files import PresetFile, load_preset, load_variant, preset_paths, variant_paths
from wbtui.presets.layers import Layer, Resolved, parse_value, read_layer, resolve

__all__ = [
    "Layer",
    "PresetFile",
    "Resolved",
    "load_preset",
    "load_variant",
    "parse_value",
    "preset_paths",
    "read_layer",
    "resolve",
    "variant_paths",
]
