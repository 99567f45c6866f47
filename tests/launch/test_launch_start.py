"""What stands in a new run folder, what is refused before there is one, and how many threads a run gets."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from wbtui.config import DataConfig
from wbtui.errors import UsageError
from wbtui.launch import threads
from wbtui.launch.checks import check_runs
from wbtui.launch.data_check import check_data
from wbtui.launch.environment import child_environment, cuda_name
from wbtui.launch.probe import check_device, check_engine, check_slots
from wbtui.launch.resume import config_of, resume_run
from wbtui.launch.start import absolute_root, make_run, make_runs, start_run
from wbtui.launch.waiter import attempt
from wbtui.presets import Resolved, resolve
from wbtui.store.errors import StoreWriteError
from wbtui.store.format import Result
from wbtui.store.notes import read_notes
from wbtui.store.reader import open_run
from wbtui.store.records import begin_attempt, write_result


def test_a_new_folder_repeats_its_configuration_and_says_where_it_came_from(tmp_path: Path) -> None:
    resolved = resolve("digits_lt", "ce", settings=["stages.0.epochs=7"], options={"seed": 3})
    folder = make_run(tmp_path / "runs", resolved, command=["wbtui", "run"], tags=["b", "a"], note="why")
    assert config_of(folder) == resolved.config
    assert "-digits_lt-ce-s3-" in folder.name
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["command"] == ["wbtui", "run"]
    assert provenance["origins"]["stages.0.epochs"] == "--set stages.0.epochs=7"
    assert provenance["code"]["version"]
    notes = read_notes(folder)
    assert (notes.tags, notes.note) == (("a", "b"), "why")
    assert open_run(folder).state().name == "starting"


@pytest.mark.parametrize("source", ["npz", "folder", "mnist"])
def test_the_home_of_nobody_is_one_message(source: Literal["npz", "folder", "mnist"]) -> None:
    config = DataConfig(source=source, root="~nobody-of-this-name/x")
    for section in (config, absolute_root(config)):
        with pytest.raises(UsageError, match="~nobody-of-this-name/x"):
            check_data(section, lambda found: False)


def test_a_wrong_tag_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="white space"):
        make_run(tmp_path / "runs", resolve("digits_lt"), tags=["not one"])
    assert not list((tmp_path / "runs").iterdir())


def test_runs_are_made_together_or_none(tmp_path: Path) -> None:
    """An interrupt, or a disk that is full, leaves no folders that nobody queues."""
    (there,) = make_runs(tmp_path, [resolve("digits_lt")])

    def interrupted() -> Iterator[Resolved]:
        yield from [resolve("digits_lt")] * 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_runs(tmp_path, interrupted())
    assert list(tmp_path.iterdir()) == [there]


def test_the_data_root_is_kept_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    resolved = resolve("digits_lt", settings=["data.source=npz", "data.root=here/x.npz", "data.classes=10"])
    folder = make_run(tmp_path / "runs", resolved)
    assert config_of(folder).data.root == str(tmp_path / "here" / "x.npz")


def test_missing_images_are_refused_with_what_to_do(tmp_path: Path) -> None:
    config = resolve("cifar10_lt", options={"data.root": str(tmp_path)}).config.data
    with pytest.raises(UsageError, match="--download"):
        check_data(config, lambda found: False)


def test_cuda_counts_its_devices_as_nvml_does_unless_somebody_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    assert child_environment()["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    assert child_environment()["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-7f")
    assert [cuda_name(number) for number in range(3)] == ["3", "GPU-7f", "2"]


def test_a_device_that_is_not_there_is_refused_before_a_folder_is_made() -> None:
    check_device("auto")
    check_device("cpu")
    with pytest.raises(UsageError, match=r"cuda:999.*CUDA device"):
        check_device("cuda:999")
    check_slots({"auto": 1, "cpu": 2})
    with pytest.raises(UsageError, match=r"--slots cuda:999=2: .*CUDA device"):
        check_slots({"cpu": 1, "cuda:999": 2})


def test_a_run_that_was_never_started_is_not_resumed_while_it_may_still_start(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "runs", resolve("digits_lt"))
    with pytest.raises(UsageError, match="starting"):
        resume_run(folder)


def test_a_strangers_run_is_not_taken_up_through_links(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log, a lock or a request to stop that leads elsewhere would be written, made or deleted there."""
    resolved = resolve("digits_lt")
    folder = make_run(tmp_path / "runs", resolved)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "stop").touch()
    (elsewhere / "precious").write_text("mine")
    (folder / "control").symlink_to(elsewhere)
    write_result(folder, Result(1, "stopped", "stopped by control/stop"))
    assert attempt(folder, "cpu") == 1
    assert "control: cannot write: " in capsys.readouterr().err
    assert begin_attempt(folder) == 2
    (folder / "output.log").symlink_to(elsewhere / "precious")
    with pytest.raises(StoreWriteError, match=r"output\.log: cannot write: "):
        start_run(folder, resolved.config)
    assert sorted(path.name for path in elsewhere.iterdir()) == ["precious", "stop"]
    assert (elsewhere / "precious").read_text() == "mine"


def test_children_find_the_package_from_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    paths = child_environment()["PYTHONPATH"].split(os.pathsep)
    assert "/elsewhere" in paths


@pytest.mark.parametrize(
    ("preset", "configured", "parallel", "given", "expected"),
    [
        ("cifar100_lt", 0, 1, "", 8),
        ("cifar100_lt", 0, 3, "", 2),
        ("cifar100_lt", 0, 99, "", 1),
        ("cifar100_lt", 0, 1, "3", 3),
        ("cifar100_lt", 0, 3, "3", 2),
        ("cifar100_lt", 0, 1, "0", 8),
        ("cifar100_lt", 4, 1, "1", 4),
        ("digits_lt", 0, 1, "4", 1),
        ("digits_lt", 5, 9, "", 5),
    ],
)
def test_cores_are_shared_and_small_nets_get_one(
    monkeypatch: pytest.MonkeyPatch, preset: str, configured: int, parallel: int, given: str, expected: int
) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    config = resolve(preset, settings=[f"threads={configured}"]).config
    assert threads.threads_for(config, parallel) == expected
    assert threads.thread_environment(expected)["OMP_NUM_THREADS"] == str(expected)


def test_a_side_that_no_image_is_brought_to_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of threads changes the weights."""
    monkeypatch.setattr(threads, "usable_cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS")
    asked = ["data.image_size=256"]
    assert threads.threads_for(resolve("digits_lt", settings=asked).config) == 1
    assert threads.threads_for(resolve("glyphs_lt", settings=asked).config) == 8


@pytest.mark.parametrize(("settings", "side"), [((), 8), (("data.source=glyphs",), 16)])
def test_a_net_too_deep_for_the_images_is_refused_before_a_folder_is_made(
    settings: tuple[str, ...], side: int
) -> None:
    configs = [
        resolve("digits_lt", settings=[*settings, f"model.name={net}"]).config for net in ("mlp", "resnet50")
    ]
    check_runs(configs[:1], lambda _: False)
    with pytest.raises(UsageError, match=f"'resnet50' halves images 5 times.*these are {side}x{side}"):
        check_runs(configs, lambda _: False)


def test_crops_that_may_show_padding_alone_are_refused_before_a_folder_is_made() -> None:
    configs = [resolve("digits_lt", settings=[f"data.crop_padding={p}"]).config for p in (7, 8)]
    check_runs(configs[:1], lambda _: False)
    with pytest.raises(UsageError, match=r"crop_padding = 8: some crops of 8x8 pixels .* to 7,"):
        check_runs(configs, lambda _: False)


def test_the_same_run_twice_is_refused_before_a_folder_is_made() -> None:
    configs = [resolve("digits_lt", options={"seed": seed}).config for seed in (0, 5, 5)]
    check_runs(configs[:2], lambda _: False)
    with pytest.raises(UsageError, match="runs 2 and 3 of these 3 are the same"):
        check_runs(configs, lambda _: False)


def test_images_below_a_folder_that_no_configuration_can_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / os.fsdecode(b"\xff")
    here.mkdir()
    monkeypatch.chdir(here)
    with pytest.raises(UsageError, match=r"expected a text that UTF-8 can write, .*; rename the folder"):
        absolute_root(DataConfig(source="npz", root="mine.npz"))


def test_recorded_steps_are_refused_before_a_folder_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wbtui.launch.probe._why_not", lambda device: f"torch sees no {device} here")
    with pytest.raises(UsageError, match=r"engine = 'graphs'.*sees no cuda here; expected engine = 'eager'"):
        check_engine("graphs", "auto")
    check_engine("graphs", "cuda:1")  # asked of the device itself
    check_engine("auto", "auto")
    monkeypatch.setattr("wbtui.launch.probe._why_not", lambda device: "")
    check_engine("graphs", "auto")
