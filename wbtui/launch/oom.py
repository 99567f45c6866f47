"""Did the kernel's out-of-memory killer strike while a run was on?

A killed process only shows SIGKILL, which a person sends too. The kernel counts its own kills: per cgroup
(`memory.events` in version 2, `memory.oom_control` in version 1) and for the whole machine (`/proc/vmstat`).
"""

from dataclasses import dataclass
from pathlib import Path

_CGROUPS = Path("/proc/self/cgroup")
_MOUNTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/memory"))
_FILES = ("memory.events", "memory.oom_control")
_MACHINE = Path("/proc/vmstat")


@dataclass(frozen=True)
class KillCount:
    """How often the killer struck so far; None where the kernel does not tell."""

    here: int | None
    """In this process's memory cgroup."""

    machine: int | None
    """On the whole machine."""

    def struck_since(self, before: "KillCount") -> str:
        """In words, who was struck between `before` and this count; empty: nobody, or nobody knows."""
        if _rose(before.here, self.here):
            return "out of memory: the kernel's out-of-memory killer struck in this run's memory cgroup"
        if self.here is None and _rose(before.machine, self.machine):
            return "probably out of memory: the kernel's out-of-memory killer struck on this machine"
        return ""


def kill_count() -> KillCount:
    """The counters as they stand."""
    return KillCount(here=_cgroup_count(), machine=_read(_MACHINE))


def _rose(before: int | None, after: int | None) -> bool:
    return before is not None and after is not None and after > before


def _cgroup_count() -> int | None:
    try:
        lines = _CGROUPS.read_text("utf-8").splitlines()
    except OSError:
        return None
    paths = [line.split(":", 2) for line in lines if line.count(":") >= 2]
    for _, controllers, path in paths:
        if controllers not in ("", "memory"):
            continue
        for mount in _MOUNTS:
            for name in _FILES:
                count = _read(mount / path.lstrip("/") / name)
                if count is not None:
                    return count
    return None


def _read(path: Path) -> int | None:
    """The number behind `oom_kill` in a file of `key value` lines."""
    try:
        text = path.read_text("utf-8")
    except OSError:
        return None
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == "oom_kill" and value.strip().isdigit():
            return int(value)
    return None
