"""What the doctor finds: a device probe that fails is bad, missing data sets are not."""

import os
import sys
from pathlib import Path

import pytest
from finished_runs import make_run

from wbtui.report import doctor, machine


def test_torch_is_asked_in_a_process_of_its_own() -> None:
    facts = machine.ask_torch(os.environ)
    assert facts.problem == ""
    assert facts.devices[0].name == "cpu"
    assert doctor.can_train(doctor.devices(facts))


def test_without_torch_training_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch for you')")
    facts = machine.ask_torch(os.environ | {"PYTHONPATH": str(tmp_path)})
    findings = doctor.devices(facts)
    assert not doctor.can_train(findings)
    assert "no torch for you" in findings[0].said
    assert "cannot start" in doctor.findings_table(findings).notes[0]


def test_embedded_data_are_there_and_others_say_how_to_get_them() -> None:
    findings = {one.about: one for one in doctor.data_sets()}
    assert findings["data digits_lt"].verdict == "ok"
    assert findings["data glyphs_lt"].verdict == "ok"
    assert findings["data cifar10_lt"].verdict == "note"
    assert "--download" in findings["data cifar10_lt"].said


def test_a_runs_folder_that_could_never_be_made_is_bad(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, why in (("link", "leads nowhere"), ("x" * 300, "name too long")):
        (finding,) = doctor.runs_folder(tmp_path / name)
        assert finding.verdict == "bad"
        assert why in finding.said


def test_a_runs_folder_that_cannot_be_is_bad(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    findings = doctor.runs_folder(tmp_path / "file")
    assert not doctor.can_train(findings)
    assert doctor.can_train(doctor.runs_folder(tmp_path / "not" / "yet"))
    assert not (tmp_path / "not").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_runs_folder_without_permission_is_bad(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert not doctor.can_train(doctor.runs_folder(tmp_path))


def test_broken_runs_are_named(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    with (folder / "events.jsonl").open("a") as log:
        log.write("no json\n")
    broken = tmp_path / "20261123-114500-x-y-s0-00000000"
    broken.mkdir()
    (broken / "config.toml").write_text("[[[")
    said = [one.said for one in doctor.runs_folder(tmp_path) if one.about == "broken run"]
    assert any("config.toml" in text for text in said)
    assert any("1 bad lines" in text for text in said)


def test_versions_name_what_is_installed() -> None:
    findings = doctor.versions()
    assert any("numpy" in one.said for one in findings)
    assert sys.executable in findings[1].said


FAKE_TORCH = """
BROKEN, DRIVER = {broken}, "{driver}"
__version__ = "9.9"
class _Version: cuda = "13.0"
version = _Version()
class _Properties: name, total_memory, major, minor = "H100[x]", 80 * 2**30, 9, 0
class cuda:
    device_count = staticmethod(lambda: 1)
    @staticmethod
    def get_device_properties(index):
        if DRIVER: raise RuntimeError(DRIVER + "\\nCompile with `TORCH_USE_CUDA_DSA`")
        return _Properties
class cpu: pass
class backends:
    class cpu: get_cpu_capability = staticmethod(lambda: "AVX2")
    class mps: is_available = staticmethod(lambda: False)
get_num_threads = lambda: 4
class _Tensor:
    def sum(self): return self
    def item(self): return 2.0
def ones(n, device):
    if BROKEN and device.startswith("cuda"): raise RuntimeError("no kernel image")
    return _Tensor()
"""


def asked(folder: Path, *, broken: bool = False, driver: str = "") -> machine.TorchFacts:
    """What is known of a machine with one GPU, whose kernels or whose driver may fail."""
    written = FAKE_TORCH.replace("{broken}", str(broken)).replace("{driver}", driver)
    (folder / "torch.py").write_text(written, "utf-8")
    return machine.ask_torch(os.environ | {"PYTHONPATH": str(folder)})


def test_a_gpu_is_told_with_memory_and_abilities(tmp_path: Path) -> None:
    said = [one.said for one in doctor.devices(asked(tmp_path))]
    assert said[0] == "9.9, CUDA 13.0"
    assert "H100[x], 80 GiB, compute 9.0" in said[2]
    assert "bf16" in said[2]
    assert "graphs" in said[2]


def test_a_gpu_that_cannot_compute_is_bad(tmp_path: Path) -> None:
    findings = doctor.devices(asked(tmp_path, broken=True))
    assert not doctor.can_train(findings)
    assert "cuda:0 cannot compute: RuntimeError: no kernel image" in findings[-1].said


def test_a_driver_that_refuses_is_bad_and_hides_nothing_else(tmp_path: Path) -> None:
    findings = doctor.devices(asked(tmp_path, driver="The NVIDIA driver on your system is too old"))
    assert not doctor.can_train(findings)
    said = [one.said for one in findings]
    assert said[0] == "9.9, CUDA 13.0"
    assert said[1].startswith("cpu: AVX2, 4 threads")
    assert said[2] == "cuda:0 cannot compute: RuntimeError: The NVIDIA driver on your system is too old"
