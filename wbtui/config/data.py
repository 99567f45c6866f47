"""Which images does a run train on, in which long-tailed profile?"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from wbtui import catalog
from wbtui.config.section import AtLeastOne, Count, Finite, Positive, Section


class DataConfig(Section):
    """Which images, in which long-tailed profile."""

    source: catalog.SourceName = "digits"
    """Where the images come from. digits and glyphs are embedded and need no download."""

    root: str = ""
    """File (npz) or folder (folder, torchvision sources) of the images; empty: the user's cache. A relative path, in a
    preset too, begins at the folder where the run is started; the run keeps it absolute. An npz holds x_train and
    x_test, uint8 squares (N, H, W), (N, H, W, 3) or (N, 3, H, W), with y_train and y_test, classes from 0 (N,), and
    perhaps class_names; a folder train/CLASS/ and test/CLASS/ with small image files."""

    profile: Literal["exponential", "step", "natural"] = "exponential"
    """Class counts: n_max * IF^(-k/(C-1)); first half n_max and second half n_max/IF; or as the source has them."""

    imbalance_factor: Annotated[float, Field(ge=1.0, allow_inf_nan=False)] = 100.0
    """IF = largest / smallest class count, at least 1. Unused by the natural profile."""

    split_rule: Literal["holdout", "full"] = "holdout"
    """holdout: n_max = images_per_class - validation_per_class, rounded, the next images of each class validate;
    full: n_max = images_per_class, floored, no validation images."""

    images_per_class: Count = 0
    """Images of each class in the official train file, before the profile; 0: what the source has of its smallest
    class. Unused by the natural profile."""

    validation_per_class: AtLeastOne = 20
    """Validation images of each class under the holdout rule. Unused by the full rule."""

    test_per_class: Count = 0
    """Test images of each class; 0: the whole test set, of digits and glyphs 50. digits has no test file: its last ones
    become the test set."""

    classes: Count = 0
    """How many classes to take, the first ones; 0: all that the source has."""

    many_above: Count = 100
    """A class with more training images than this is Many (head)."""

    few_below: Count = 20
    """A class with fewer training images than this is Few (tail); all others are Medium."""

    image_size: Count = 0
    """Side in pixels to which the folder source resizes and glyphs are drawn; 0: as they are (glyphs: 16)."""

    crop_padding: Count = 4
    """Pixels of zero padding before the random crop of a training image, fewer than its side; 0: no crop."""

    horizontal_flip: bool = True
    """Whether training images are mirrored at random."""

    mean: tuple[Finite, ...] = ()
    """Per-channel mean subtracted from images in [0, 1]; empty: computed from the training split."""

    std: tuple[Positive, ...] = ()
    """Per-channel standard deviation that images are divided by; empty: computed from the training split."""

    def too_much_padding(self, side: int) -> str:
        """Why images of `side` pixels bear no such padding, and what to do; empty: each crop shows some image."""
        if self.crop_padding < side:
            return ""
        return (
            f"data.crop_padding = {self.crop_padding}: some crops of {side}x{side} pixels would show padding alone; "
            f"expected 0 (no crop) to {side - 1}, an eighth of the side is usual"
        )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.few_below > self.many_above + 1:
            raise ValueError(
                f"few_below = {self.few_below} overlaps many_above = {self.many_above}: a class would be Many and "
                "Few at once; expected few_below <= many_above + 1"
            )
        if len(self.mean) != len(self.std):
            raise ValueError(
                f"mean has {len(self.mean)} channels and std {len(self.std)}; expected as many of both"
            )
        if self.source in ("npz", "folder") and not self.root:
            raise ValueError(f"source = {self.source!r} needs root (--data-root): the path of its images")
        if self.source == "glyphs":
            known = catalog.SOURCES["glyphs"]
            if self.classes == 1 or self.classes > known.most_classes:
                raise ValueError(
                    f"classes = {self.classes}: glyphs has 2 to {known.most_classes} classes (0: {known.classes})"
                )
            if self.images_per_class == 0:
                raise ValueError(
                    "images_per_class = 0: glyphs are made in code, say how many; expected 1 or more"
                )
            if self.profile == "natural":
                raise ValueError("profile = 'natural': glyphs are made in code; expected exponential or step")
        return self
