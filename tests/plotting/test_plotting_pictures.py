"""Do the plots still look like the pictures that somebody looked at?

The pictures stand in `pictures/`. After a wanted change run `python tests/plotting/test_plotting_pictures.py`, which
writes them anew, and look at the difference.
"""

from pathlib import Path

import numpy as np
import pytest

from wbtui.plotting import (
    Band,
    BarOptions,
    Canvas,
    GlyphSet,
    HeatmapOptions,
    LineOptions,
    Overlay,
    Series,
    bar_plot,
    heatmap,
    line_plot,
    series_style,
    sparkline,
    to_text,
)

PICTURES = Path(__file__).parent / "pictures"


def noise(count: int) -> np.ndarray:
    """Values between -1 and 1 that are the same on every machine and in every numpy."""
    return (np.arange(count) * 7919 % 1009) / 504.5 - 1


def accuracy(
    names: tuple[str, ...] = ("all", "head", "medium", "tail"), roughness: float = 1.0
) -> list[Series]:
    epochs = np.arange(1.0, 201.0)
    return [
        Series.styled(
            name,
            epochs,
            45 - 9 * index + 30 * (1 - np.exp(-epochs / (30 + 10 * index))) + roughness * noise(200),
            series_style(index),
        )
        for index, name in enumerate(names)
    ]


def loss_with_gaps() -> list[Series]:
    epochs = np.arange(100.0)
    loss = 100 * np.exp(-epochs / 8)
    loss[40:55] = np.nan
    loss[60:63] = 0.0
    loss[70] = np.inf
    return [Series.styled("loss", epochs, loss, series_style(0))]


def seeds() -> tuple[list[Series], list[Band]]:
    """Two settings whose seeds differ by more or less; of the second, one seed alone goes on from epoch 60."""
    series = accuracy(("wd n=3", "ce n=1-3"))
    spread = (4 + 3 * np.sin(series[0].x / 20), np.where(series[1].x < 60, 6.0, np.nan))
    return series, [
        Band(one.name, one.x, one.y - std, one.y + std, one.colour)
        for one, std in zip(series, spread, strict=True)
    ]


def norms(classes: int) -> np.ndarray:
    return 2 * np.exp(-1.2 * np.arange(classes) / classes) + 0.1 * noise(classes)


def counts(classes: int) -> Overlay:
    return Overlay("n_k", np.rint(500 * 0.01 ** (np.arange(classes) / (classes - 1))))


def by_class() -> np.ndarray:
    table = np.linspace(1, 0, 100)[:, None] * np.linspace(0, 1, 320)
    table[30:40, 100:150] = np.nan
    return table


def sparklines() -> Canvas:
    rows = [
        sparkline(values, 12, glyphs=glyphs)
        for glyphs in GlyphSet
        for values in (1 - np.exp(-np.arange(320) / 99), np.full(5, 3.0), np.array([1, np.nan, 3, 2, 0.0]))
    ]
    return Canvas(*(np.concatenate(part) for part in zip(*(vars(row).values() for row in rows), strict=True)))


def pictures() -> dict[str, Canvas]:
    def line(series: list[Series], width: int, height: int, **rest: object) -> Canvas:
        return line_plot(series, LineOptions(width, height, x_label="epoch", **rest)).canvas

    def bars(classes: int, width: int, height: int, **rest: object) -> Canvas:
        return bar_plot(norms(classes), BarOptions(width, height, "Norm", **rest), counts(classes)).canvas

    ascii_only, block = {"glyphs": GlyphSet.ASCII}, {"glyphs": GlyphSet.BLOCK}
    lines, bands = seeds()
    difference = np.array([4.0, 2.5, np.nan, 0.0, -1.0, 3.0, -4.5, -2.0, np.inf, 0.1])
    return {
        "line_20x5": line(accuracy(("all", "tail")), 20, 5, title="Accuracy"),
        "line_60x15": line(accuracy(), 60, 15, title="Accuracy"),
        "line_120x40_cursor": line(accuracy(), 120, 40, title="Accuracy", cursor_x=77.2),
        "line_80x16_block": line(accuracy(), 80, 16, title="Accuracy", cursor_x=100.0, **block),
        "line_80x16_ascii": line(accuracy(), 80, 16, title="Accuracy", cursor_x=100.0, **ascii_only),
        "line_80x16_smoothed": line(accuracy(("a", "b"), 5.0), 80, 16, title="Accuracy", smoothing=0.9),
        "line_60x15_log_gaps": line(loss_with_gaps(), 60, 15, title="Loss", log_y=True),
        "line_60x12_zoom": line(accuracy(), 60, 12, title="Zoom", x_bounds=(50.0, 60.0)),
        **{
            f"line_80x16_seeds_{glyphs}": line_plot(
                lines, LineOptions(80, 16, "Accuracy", glyphs=glyphs), bands
            ).canvas
            for glyphs in GlyphSet
        },
        "line_40x8_empty": line(
            [Series("loss", np.arange(3.0), -np.ones(3))], 40, 8, title="Loss", log_y=True
        ),
        "bars_10_on_60x12": bars(10, 60, 12),
        "bars_100_on_120x16_cursor": bars(100, 120, 16, cursor=37),
        "bars_1000_on_60x12": bars(1_000, 60, 12, cursor=500),
        "bars_50_on_70x12_block": bars(50, 70, 12, **block),
        "bars_50_on_70x12_ascii": bars(50, 70, 12, **ascii_only),
        "bars_difference_60x14": bar_plot(difference, BarOptions(60, 14, "Accuracy, difference")).canvas,
        "heatmap_70x16_shades": heatmap(
            by_class(),
            HeatmapOptions(70, 16, "Accuracy by class", colour=False, x_label="epoch", cursor_x=150.0),
        ).canvas,
        "heatmap_70x12_ascii": heatmap(
            by_class(), HeatmapOptions(70, 12, "Accuracy by class", x_range=(1, 320), **ascii_only)
        ).canvas,
        "heatmap_50x10_layers": heatmap(
            1 + noise(60).reshape(4, 15) / 2,
            HeatmapOptions(50, 10, "BN scale", colour=False, row_names=("bn1", "layer1", "layer2", "layer3")),
        ).canvas,
        "sparklines": sparklines(),
    }


@pytest.mark.parametrize("name", pictures())
def test_picture_is_the_one_that_was_looked_at(name):
    assert to_text(pictures()[name]) + "\n" == (PICTURES / f"{name}.txt").read_text("utf-8")


def test_every_picture_that_was_looked_at_is_still_drawn():
    assert {path.stem for path in PICTURES.glob("*.txt")} == set(pictures())


if __name__ == "__main__":
    for name, canvas in pictures().items():
        (PICTURES / f"{name}.txt").write_text(to_text(canvas) + "\n", "utf-8")
