"""Does a trainer keep the memory that tensors free, so that steps do not ask the kernel for it again?"""

import ctypes
import resource
import subprocess
import sys

import pytest

CHILD = """
import resource, torch
from wbtui.training.runtime import keep_freed_memory
def page_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.zeros(48 << 20, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
page_faults()
print(page_faults())
keep_freed_memory()
page_faults()
print(page_faults())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="malloc here has no such setting")
def test_large_tensors_come_from_kept_memory() -> None:
    child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, check=True)
    before, after = map(int, child.stdout.split())
    touched = 10 * (48 << 20) // resource.getpagesize()
    few = touched // 1024  # huge pages fault once for 512 small ones
    assert before > few
    assert after < few
