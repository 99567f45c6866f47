"""The commented TOML says what each value means and reads back as the same configuration."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbtui.config import RunConfig
from wbtui.presets import preset_paths, resolve, variant_paths
from wbtui.report.config_toml import commented_toml


def test_every_setting_stands_below_its_docstring_and_default() -> None:
    text = commented_toml(RunConfig())
    lines = text.splitlines()
    at = lines.index("weight_decay = 0.0")
    assert lines[at - 1] == "# Default: 0.0"
    assert lines[at - 3] == "# λ in loss + λ/2 Σ‖θ‖² over what trains (SGD's own weight_decay)."
    assert "# One of: none, maxnorm." in lines
    assert "[[stages]]" in lines
    assert "[stages.loss]" in lines


def test_the_defaults_read_back(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(commented_toml(RunConfig()), "utf-8")
    assert resolve(config_file=path).config == RunConfig()


@pytest.mark.parametrize("preset", sorted(preset_paths()))
def test_every_preset_with_every_variant_reads_back(preset: str, tmp_path: Path) -> None:
    for variant in sorted(variant_paths()):
        resolved = resolve(preset, variant)
        path = tmp_path / f"{variant}.toml"
        path.write_text(commented_toml(resolved.config, resolved.origins), "utf-8")
        assert resolve(config_file=path).config == resolved.config


def test_values_that_were_set_say_where_they_came_from() -> None:
    resolved = resolve("digits_lt", "wb", settings=["stages.1.epochs=3", "stages.1.loss.beta=0.99"])
    text = commented_toml(resolved.config, resolved.origins)
    assert "# Default: 200; from --set stages.1.epochs=3\nepochs = 3" in text
    assert "# Default: 0.9999; from --set stages.1.loss.beta=0.99\nbeta = 0.99" in text


@given(st.text(max_size=50))
def test_any_name_is_written_as_one_value(name: str) -> None:
    config = RunConfig.model_construct(**{**vars(RunConfig()), "name": name})
    assert tomllib.loads(commented_toml(config))["name"] == name
