"""On which device may a queued run go, and what tells its trainer so?"""

from collections import Counter
from collections.abc import Iterable, Mapping

from wbtui.errors import UsageError
from wbtui.launch.environment import cuda_name

ANY = "auto"
"""A slot that takes any run and leaves the device to the run's own configuration."""


def parse_slots(text: str) -> dict[str, int]:
    """Slots as people type them: `cuda:0=2,cpu=1`, or a number alone for so many on any device.

    Raises:
        UsageError: no such form.
    """
    slots: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        device, equals, count = part.partition("=") if "=" in part else (ANY, "=", part)
        if (
            not equals
            or not is_slot(device)
            or not count.isdecimal()
            or not 0 < int(count) <= 1024
            or device in slots
        ):
            raise UsageError(
                f"--slots {text}: {part!r}: expected DEVICE=COUNT once each, for example cuda:0=2,cpu=1"
            )
        slots[device] = int(count)
    if not slots:
        raise UsageError("--slots: expected at least one, for example cuda:0=2,cpu=1")
    return slots


def is_slot(device: str) -> bool:
    """Whether slots may be on a device of this name; `cuda` without its number would not say on which."""
    return device in (ANY, "cpu", "mps") or (device.startswith("cuda:") and device[5:].isdecimal())


def fits(slot: str, device: str) -> bool:
    """Whether a run configured for a device may go into a slot."""
    if slot in (ANY, device) or device == "auto":
        return True
    return device == "cuda" and slot.startswith("cuda:")


def free_slots(slots: Mapping[str, int], taken: Iterable[tuple[str, str]]) -> list[str]:
    """The slots that nobody is in, GPUs first and those for any run last.

    Args:
        slots: How many there are on each device.
        taken: Of each run at work its slot and the device that it is configured for. Where that slot is not there any
            more, the run counts in another one of the device that it is on.
    """
    left = Counter(slots)
    order = sorted(left, key=lambda slot: (slot == ANY, not slot.startswith("cuda"), slot))
    elsewhere = []
    for slot, device in taken:
        if left[slot]:
            left[slot] -= 1
        else:
            elsewhere.append(device if slot == ANY else slot)
    for device in elsewhere:
        other = next((slot for slot in order if left[slot] and fits(slot, device)), None)
        if other is not None:
            left[other] -= 1
    return [slot for slot in order for _ in range(left[slot])]


def slot_environment(slot: str, device: str) -> dict[str, str]:
    """What makes a run that leaves its device open use that of the slot: the GPUs that it sees."""
    if slot == ANY or device not in ("auto", "cuda"):
        return {}
    if not slot.startswith("cuda:"):
        return {"CUDA_VISIBLE_DEVICES": ""}
    return {"CUDA_VISIBLE_DEVICES": cuda_name(int(slot.removeprefix("cuda:")))}
