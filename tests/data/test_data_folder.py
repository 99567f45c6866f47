"""Is a folder of small image files read, and refused with the path of what is wrong in it?"""

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wbtui.config import DataConfig
from wbtui.data.available import available, planned_splits
from wbtui.data.longtail import load
from wbtui.data.sources import folder
from wbtui.errors import UsageError


def _made(root: Path, mode: str = "RGB", side: int = 5) -> DataConfig:
    rng = np.random.default_rng(1)
    for split, each in (("train", 4), ("test", 2)):
        for name in ("ape", "bee"):
            (root / split / name).mkdir(parents=True)
            for i in range(each):
                shape = (side, side, 3) if mode == "RGB" else (side, side)
                pixels = rng.integers(0, 256, shape, dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{i}.png")
    return DataConfig(
        source="folder", root=str(root), imbalance_factor=2, validation_per_class=2, few_below=2
    )


def test_classes_and_files_are_read_by_name(tmp_path: Path) -> None:
    config = _made(tmp_path)
    (tmp_path / "train" / "bee" / "notes.txt").write_text("no image")
    (tmp_path / "train" / "bee" / "._2.png").write_bytes(b"\0\5\x16\7, beside 2.png, from macOS")
    source = folder.read(config)
    assert source.class_names == ("ape", "bee")
    assert source.train_labels.tolist() == [0] * 4 + [1] * 4
    third = np.asarray(Image.open(tmp_path / "train" / "bee" / "2.png")).transpose(2, 0, 1)
    np.testing.assert_array_equal(source.train_images[6], third)
    assert available(config).per_class == (4, 4)
    assert available(config).test_per_class == (2, 2)
    assert load(config).train_counts.tolist() == [2, 1]


def test_grey_images_have_one_channel_until_one_has_colour(tmp_path: Path) -> None:
    config = _made(tmp_path, mode="L")
    assert folder.read(config).train_images.shape == (8, 1, 5, 5)
    Image.new("RGB", (5, 5), (9, 8, 7)).save(tmp_path / "train" / "ape" / "0.png")
    source = folder.read(config)
    assert source.train_images.shape == (8, 3, 5, 5)
    assert source.train_images[0, :, 0, 0].tolist() == [9, 8, 7]


def test_images_are_resized_to_the_asked_side(tmp_path: Path) -> None:
    config = _made(tmp_path, side=8).model_copy(update={"image_size": 4})
    Image.new("RGB", (20, 10), (50, 60, 70)).save(tmp_path / "train" / "ape" / "0.png")
    source = folder.read(config)
    assert source.train_images.shape == (8, 3, 4, 4)
    assert (source.train_images[0] == np.array([50, 60, 70])[:, None, None]).all()


def test_several_sizes_without_a_side_to_resize_to_are_refused(tmp_path: Path) -> None:
    config = _made(tmp_path)
    Image.new("RGB", (7, 7)).save(tmp_path / "test" / "bee" / "1.png")
    with pytest.raises(UsageError, match=r"1.png: 7 x 7 pixels.*data.image_size"):
        folder.read(config)


def test_oblong_images_are_refused(tmp_path: Path) -> None:
    config = _made(tmp_path)
    for path in tmp_path.rglob("*.png"):
        Image.new("RGB", (7, 5)).save(path)
    with pytest.raises(UsageError, match=r"7 x 5 pixels; expected square"):
        folder.read(config)


def test_missing_folders_are_named(tmp_path: Path) -> None:
    config = DataConfig(source="folder", root=str(tmp_path))
    found = available(config)
    assert found.missing == (tmp_path / "train", tmp_path / "test")
    with pytest.raises(UsageError, match="no folder train/ and no folder test/"):
        load(config)


def test_classes_must_agree_and_hold_images(tmp_path: Path) -> None:
    config = _made(tmp_path)
    (tmp_path / "test" / "cow").mkdir()
    assert "train/ has no such class" in available(config).problem
    (tmp_path / "train" / "cow").mkdir()
    with pytest.raises(UsageError, match="cow: no image"):
        folder.read(config)


@pytest.mark.parametrize("kept", [0, 20, 60])
def test_a_torn_image_is_named(tmp_path: Path, kept: int) -> None:
    config = _made(tmp_path)
    torn = tmp_path / "train" / "bee" / "1.png"
    torn.write_bytes(torn.read_bytes()[:kept])
    with pytest.raises(UsageError, match=r"1.png: not an image that can be read"):
        folder.read(config)


def test_an_image_that_claims_gigapixels_is_refused_unread(tmp_path: Path) -> None:
    config = _made(tmp_path)
    bomb = tmp_path / "train" / "bee" / "1.png"
    raw = bytearray(bomb.read_bytes())
    raw[16:24] = (60_000).to_bytes(4, "big") * 2  # width and height of the PNG header
    raw[29:33] = zlib.crc32(raw[12:29]).to_bytes(4, "big")
    bomb.write_bytes(raw)
    with pytest.raises(UsageError, match=r"1.png"):
        folder.read(config)


def test_a_class_with_too_few_images_is_told_by_its_name(tmp_path: Path) -> None:
    config = _made(tmp_path)
    for path in (tmp_path / "test" / "bee").iterdir():
        path.unlink()
    (tmp_path / "test" / "bee" / "1.png").write_bytes((tmp_path / "test" / "ape" / "1.png").read_bytes())
    with pytest.raises(UsageError, match=r"^class 1 \(bee\) of folder has 1 test images"):
        planned_splits(config.model_copy(update={"test_per_class": 2}))


def test_more_than_8_bits_a_pixel_are_refused(tmp_path: Path) -> None:
    config = _made(tmp_path, mode="L")
    Image.fromarray(np.full((5, 5), 60_000, np.uint16)).save(tmp_path / "train" / "ape" / "0.png")
    with pytest.raises(UsageError, match=r"0.png: more than 8 bits a pixel"):
        folder.read(config)


@pytest.mark.parametrize("suffix", folder.SUFFIXES)
def test_every_kind_of_file_that_is_named_is_read(tmp_path: Path, suffix: str) -> None:
    config = _made(tmp_path)
    mode, colour = ("L", 200) if suffix == ".pgm" else ("RGB", (200, 30, 40))
    Image.new(mode, (5, 5), colour).save(tmp_path / "test" / "ape" / f"last{suffix}")
    source = folder.read(config)
    assert source.test_labels.tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_allclose(source.test_images[2, :, 2, 2], colour, atol=12)  # some formats are lossy
