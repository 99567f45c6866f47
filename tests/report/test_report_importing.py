"""Somebody else's predictions: read safely, checked, and a finished run afterwards."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from finished_runs import COUNTS, accuracies, predictions_of

from wbtui.adjustment import AllAccuracy, method_named
from wbtui.errors import UsageError
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.report.figures import figures_of
from wbtui.report.imported import Sources, passed_over, read_predictions, without_images
from wbtui.report.importing import Labels, make_imported_run
from wbtui.report.listing import listing_table
from wbtui.report.settings import fold_seeds
from wbtui.store.index import RunIndex
from wbtui.store.reader import open_run

TEST, VALIDATION = predictions_of("test", 0), predictions_of("validation", 0)
GOOD = {"logits": TEST.logits, "labels": TEST.labels, "counts": np.array(COUNTS)}


def npz(path: Path, **named: object) -> Path:
    np.savez(path, **named)  # type: ignore[arg-type]
    return path


def test_one_archive_becomes_a_finished_run_that_can_be_adjusted(tmp_path: Path) -> None:
    source = npz(
        tmp_path / "x.npz", **GOOD, validation_logits=VALIDATION.logits, validation_labels=VALIDATION.labels
    )
    folder = make_imported_run(
        tmp_path / "runs", read_predictions(Sources(source)), Labels("theirs", 0, "", (), 30, 8)
    )
    run = open_run(folder)
    assert run.state().name == "finished"
    expected = accuracies(TEST)
    for group, value in expected.items():
        assert figures_of(run).accuracy("test", group) == pytest.approx(value)
    (row,) = RunIndex(tmp_path / "runs").listing().rows
    assert row.accuracy_few == pytest.approx(expected["few"])
    assert row.tags == ("imported",)
    table = listing_table([row], [row.id])
    (cells,) = table.rows
    assert (
        cells[[column.title for column in table.columns].index("epoch")].text == "1"
    )  # of how many nobody knows
    one = adjust_run(load_material(run), Request(method_named("additive"), AllAccuracy()))
    assert one.basis == "validation"
    with pytest.raises(UsageError, match="classifier norms"):
        adjust_run(load_material(run), Request(method_named("tau_norm"), AllAccuracy()))


def test_arrays_may_stand_in_files_of_their_own_and_counts_on_the_command_line(tmp_path: Path) -> None:
    sources = Sources(
        npz(tmp_path / "z.npz", anything=TEST.logits.astype(np.float64)),
        npz(tmp_path / "y.npz", whatever=TEST.labels.astype(np.int32)),
        ",".join(map(str, COUNTS)),
    )
    found = read_predictions(sources)
    assert found.splits["test"].logits.dtype == np.float32
    assert found.classifier.train_counts.tolist() == list(COUNTS)
    assert set(found.splits) == {"test"}


def test_seeds_from_different_files_fold_and_methods_do_not(tmp_path: Path) -> None:
    runs = []
    for seed, variant in ((0, "a"), (1, "a"), (0, "b")):
        source = npz(tmp_path / f"{variant}{seed}.npz", **GOOD)
        folder = make_imported_run(
            tmp_path / "runs", read_predictions(Sources(source)), Labels(variant, seed)
        )
        runs.append(open_run(folder))
    assert [(setting.label, setting.n) for setting in fold_seeds(runs)] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"logits": TEST.logits[:, 0]}, "expected floats (N, C)"),
        ({"logits": TEST.labels}, "expected floats (N, C)"),
        ({"logits": np.where(TEST.logits > 6, np.nan, TEST.logits)}, "NaN"),
        ({"labels": TEST.labels[:-1]}, "one for each row"),
        ({"labels": TEST.labels.astype(float)}, "expected integers"),
        ({"labels": TEST.labels + 1}, "run from 1 to 10; expected 0..9"),
        ({"counts": np.array([1, 2])}, "expected 10 whole numbers"),
        ({"counts": np.zeros(10, int)}, "expected 10 whole numbers"),
        ({"counts": np.array(COUNTS, float)}, "expected 10 whole numbers"),
        (
            {"counts": np.full(10, 2**63, np.uint64)},
            "class 0 has 9223372036854775808; expected 10 whole numbers",
        ),
        ({"classifier_norms": np.ones(3)}, "expected 10 finite numbers"),
        (
            {"class_mean_feature_norms": np.arange(10) - 1.0},
            "class_mean_feature_norms: class 0 has -1; expected norms, 0 or more",
        ),
        ({"classifier_norms": np.full(10, 1e300)}, "expected 10 finite numbers that float32 takes"),
        ({"validation_logits": VALIDATION.logits[:, :5]}, "validation has 5 classes"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    source = npz(tmp_path / "x.npz", **(GOOD | change))
    with pytest.raises(UsageError) as refused:
        read_predictions(Sources(source))
    assert said in str(refused.value)


def test_a_missing_array_names_those_there_are(tmp_path: Path) -> None:
    source = npz(tmp_path / "x.npz", logits=TEST.logits, targets=TEST.labels)
    with pytest.raises(UsageError, match="no array test_labels or labels; it holds logits, targets"):
        read_predictions(Sources(source, counts=",".join(map(str, COUNTS))))
    with pytest.raises(UsageError, match="no array train_counts or counts or cls_num_list"):
        read_predictions(Sources(npz(tmp_path / "z.npz", logits=TEST.logits)))
    for counts in ("a,b", "5,3.5", "."):
        with pytest.raises(UsageError, match=r"expected a \.npz or \.npy file or whole numbers"):
            read_predictions(Sources(npz(tmp_path / "y.npz", **GOOD), counts=counts))


def test_an_array_that_is_none_of_numbers_is_named(tmp_path: Path) -> None:
    source = npz(tmp_path / "x.npz", **GOOD, words=np.array(["cat", "dog"]))
    with pytest.raises(UsageError, match=r"x\.npz: words: elements of type '<U3'; expected plain numbers"):
        read_predictions(Sources(source))


def test_labels_may_be_a_column(tmp_path: Path) -> None:
    found = read_predictions(Sources(npz(tmp_path / "x.npz", **(GOOD | {"labels": TEST.labels[:, None]}))))
    np.testing.assert_array_equal(found.splits["test"].labels, TEST.labels)


def test_single_arrays_need_no_archive(tmp_path: Path) -> None:
    arrays = {"z": TEST.logits, "y": TEST.labels, "n": np.array(COUNTS), "v": VALIDATION.logits}
    for name, values in (arrays | {"w": VALIDATION.labels}).items():
        np.save(tmp_path / f"{name}.npy", values)
    z, y, n, v, w = (tmp_path / f"{name}.npy" for name in "zynvw")
    found = read_predictions(Sources(z, y, str(n), v, w))
    for split, expected in (("test", TEST), ("validation", VALIDATION)):
        np.testing.assert_array_equal(found.splits[split].logits, expected.logits)
        np.testing.assert_array_equal(found.splits[split].labels, expected.labels)
    assert found.classifier.train_counts.tolist() == list(COUNTS)
    with pytest.raises(UsageError, match=r"expected it there or in a file of its own \(--labels"):
        read_predictions(Sources(z, counts=str(n)))


@pytest.mark.parametrize("kind", [np.str_, np.bytes_])
def test_classes_keep_their_names(tmp_path: Path, kind: type[np.generic]) -> None:
    names = [f"kind {letter}\x1b" for letter in "abcdefghij"]
    source = npz(tmp_path / "x.npz", **GOOD, class_names=np.array(names).astype(kind))
    imported = read_predictions(Sources(source))
    assert passed_over(imported) == ""
    run = open_run(make_imported_run(tmp_path / "runs", imported, Labels("a")))
    assert run.predictions_meta().class_names == tuple(f"kind {letter}?" for letter in "abcdefghij")


def test_names_of_classes_may_be_lines_of_text_and_count_before_those_of_the_archive(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("\n".join("jihgfedcba") + "\n\n", "utf-8-sig")
    source = npz(tmp_path / "x.npz", **GOOD, class_names=np.array(list("abcdefghij")))
    found = read_predictions(Sources(source, class_names=tmp_path / "names.txt"))
    assert found.class_names == tuple("jihgfedcba")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (np.array(["cat", "dog"]), "2 class names; expected 10, one for each column"),
        (np.array([["cat", "dog"]]), "expected a name for each column"),
        (np.arange(10), "elements of type '<i8'; expected text"),
        (np.array(["cat"] * 9 + [None]), "expected text"),
    ],
)
def test_names_that_are_none_are_refused(tmp_path: Path, names: np.ndarray, said: str) -> None:
    source = npz(tmp_path / "x.npz", **GOOD, class_names=names)
    with pytest.raises(UsageError) as refused:
        read_predictions(Sources(source))
    assert said in str(refused.value)


def test_characters_that_are_none_are_replaced(tmp_path: Path) -> None:
    odd = np.full((10, 3), 0x110000, np.uint32).view("<U3")[:, 0]
    found = read_predictions(Sources(npz(tmp_path / "x.npz", **GOOD, class_names=odd)))
    assert len(found.class_names) == 10
    assert all(name.isprintable() for name in found.class_names)


@pytest.mark.parametrize(
    "content", [None, b"a\0b", b"\n" * (17 << 20)], ids=["no file", "binary", "more than 16 MiB"]
)
def test_a_list_of_names_that_is_no_text_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "names.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"--class-names .*names\.txt: "):
        read_predictions(Sources(npz(tmp_path / "x.npz", **GOOD), class_names=path))


def test_pickled_arrays_are_refused_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "exploded",)

    source = npz(tmp_path / "x.npz", logits=np.array([[Bomb(), Bomb()]], dtype=object))
    with pytest.raises(UsageError):
        read_predictions(Sources(source))
    assert not (tmp_path / "exploded").exists()


def test_an_archive_that_claims_more_than_it_has_is_refused(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 10**3)}
    )
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("logits.npy", header.getvalue())
    with pytest.raises(UsageError):
        read_predictions(Sources(tmp_path / "x.npz"))


def test_thresholds_that_overlap_are_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    imported = read_predictions(Sources(npz(tmp_path / "x.npz", **GOOD)))
    with pytest.raises(UsageError, match="--groups"):
        make_imported_run(tmp_path / "runs", imported, Labels("a", many_above=5, few_below=50))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (Labels("a", seed=2**31), "--seed: seed = 2147483648: expected less than 2147483648"),
        (Labels("a", name="x" * 201), "--name: name = "),
        (Labels("a", name="\udcff"), "--name: name = '\\udcff': expected a text that UTF-8 can write"),
        (Labels("a", many_above=-1, few_below=0), "--groups: data.many_above = -1"),
        (Labels("a", tags=("two words",)), "tag 'two words'"),
    ],
    ids=["seed", "long name", "half a character", "groups", "tag"],
)
def test_what_no_run_can_be_called_is_refused_and_leaves_no_folder(
    tmp_path: Path, labels: Labels, said: str
) -> None:
    """A run whose configuration cannot be read could not be adjusted."""
    imported = read_predictions(Sources(npz(tmp_path / "x.npz", **GOOD)))
    with pytest.raises(UsageError) as refused:
        make_imported_run(tmp_path / "runs", imported, labels)
    assert str(refused.value).startswith(said)
    assert not list((tmp_path / "runs").glob("*"))


def test_test_labels_never_serve_for_validation(tmp_path: Path) -> None:
    source = npz(tmp_path / "x.npz", **GOOD, validation_logits=TEST.logits)
    with pytest.raises(UsageError, match=r"no array validation_labels.*--val-labels"):
        read_predictions(Sources(source))
    alone = npz(tmp_path / "v.npz", logits=VALIDATION.logits, labels=VALIDATION.labels)
    splits = read_predictions(Sources(source, validation_logits=alone)).splits
    assert (splits["validation"].labels == VALIDATION.labels).all()


def test_validation_may_be_called_as_its_options_are(tmp_path: Path) -> None:
    named = {"val_logits": VALIDATION.logits, "val_labels": VALIDATION.labels}
    found = read_predictions(Sources(npz(tmp_path / "x.npz", **GOOD, **named)))
    assert (found.splits["validation"].logits == VALIDATION.logits).all()
    assert (found.splits["validation"].labels == VALIDATION.labels).all()
    assert passed_over(found) == ""
    with pytest.raises(UsageError, match="no array validation_labels or val_labels"):
        read_predictions(Sources(npz(tmp_path / "y.npz", **GOOD, val_logits=VALIDATION.logits)))


def test_arrays_that_nothing_is_made_of_are_said(tmp_path: Path) -> None:
    named = {"valid_logits": VALIDATION.logits, "valid_labels": VALIDATION.labels}
    said = passed_over(read_predictions(Sources(npz(tmp_path / "x.npz", **GOOD, **named))))
    assert said.startswith("not taken from x.npz: valid_labels, valid_logits (")
    alone = Sources(npz(tmp_path / "z.npz", z=TEST.logits), tmp_path / "x.npz", ",".join(map(str, COUNTS)))
    assert passed_over(read_predictions(alone)) == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"logits": TEST.logits[:0], "labels": TEST.labels[:0]}, "N >= 1 images"),
        ({"counts": np.array([*COUNTS[:-1], 0])}, f"class {len(COUNTS) - 1} has 0"),
        (
            {"logits": np.where(np.arange(len(TEST.labels))[:, None] == 3, np.nan, TEST.logits)},
            "with one is 3",
        ),
    ],
    ids=["no images", "a count of 0", "NaN"],
)
def test_what_is_wrong_is_named(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_predictions(Sources(npz(tmp_path / "x.npz", **(GOOD | changed))))


def test_a_class_without_images_is_said(tmp_path: Path) -> None:
    last = len(COUNTS) - 1
    kept = TEST.labels != last
    lacking = npz(tmp_path / "x.npz", **(GOOD | {"logits": TEST.logits[kept], "labels": TEST.labels[kept]}))
    (remark,) = without_images(read_predictions(Sources(lacking)))
    assert remark == f"test has no image of class {last}: All is the mean over the other {last} of {last + 1}"
    assert without_images(read_predictions(Sources(npz(tmp_path / "y.npz", **GOOD)))) == []


def test_a_tag_that_cannot_be_is_refused_and_leaves_no_folder(tmp_path: Path) -> None:
    imported = read_predictions(Sources(npz(tmp_path / "x.npz", **GOOD)))
    with pytest.raises(UsageError, match="tag 'a b'"):
        make_imported_run(tmp_path / "runs", imported, Labels("a", tags=["a b"]))
    assert not list((tmp_path / "runs").iterdir())
