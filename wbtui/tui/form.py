"""What does the start form mean: which runs, what is wrong with them, which command is the same? Pure but for presets.

Everything typed goes through `presets.resolve`, as the words of `wbtui run` do; what it refuses is told to the field
that is to blame.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wbtui.config import RunConfig, flatten
from wbtui.errors import UsageError
from wbtui.launch.grid import expand, split_list, split_seeds
from wbtui.launch.stages_before import Source, epochs_left, other_than_of_variant, read_source, resolve_after
from wbtui.notices import notices
from wbtui.presets import (
    Resolved,
    load_preset,
    load_variant,
    parse_value,
    preset_paths,
    resolve,
    variant_paths,
)
from wbtui.report.decay import planned_notice
from wbtui.report.values import words_apart
from wbtui.store.format import CONFIG
from wbtui.store.ids import short_ids
from wbtui.store.notes import check_note, check_tags
from wbtui.store.reader import open_run
from wbtui.store.runs_folder import RUNS_DEFAULT, runs_words
from wbtui.store.setting import configuration, setting_key
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui.lines import LIVING

FIELDS = ("preset", "variant", "seed", "device", "settings", "name", "tags", "note")
"""The fields of the form, in order."""

_IN_THE_FORM = {
    "--set ": "",
    "(data.root, --data-root)": "(data.root)",
    "--data-root": "data.root",
    "give --download": "start it by `wbtui run --download`",
    "a --variant": "a variant",
    "leave that or --from out": "leave that out",
    " (`wbtui presets` lists them)": "",
}
"""What sentences of options and commands are here; the command alone fetches data."""

_COUNTING = (*LIVING, "queued", "finished")
_MOST_READ = 8  # configurations that are read for each run of the form
_MOST_SAID = 3


@dataclass(frozen=True)
class FormValues:
    """The form as it is typed."""

    preset: str = ""
    variant: str = ""
    """One method, or several by comma."""
    seed: str = ""
    """One seed, or several: `0,1,2` or `0-4`."""
    device: str = ""
    settings: str = ""
    """KEY=VALUE words, as in a shell."""
    name: str = ""
    tags: str = ""
    note: str = ""
    config_file: Path | None = None
    """A run's config.toml to begin from; then preset and variant may be empty."""
    sources: tuple[Path, ...] = ()
    """Finished runs whose stages are taken over; then the preset is theirs."""

    @property
    def configurations(self) -> tuple[Path, ...]:
        """The config.toml of the runs that give what the fields leave empty."""
        return (self.config_file,) if self.config_file else tuple(one / CONFIG for one in self.sources)


@dataclass(frozen=True)
class FormAnswer:
    """What the form means."""

    resolved: tuple[Resolved, ...] = ()
    """The runs; none where something is wrong."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """Field → what is wrong with it."""
    difference: tuple[tuple[str, str, str, str], ...] = ()
    """Key, value of the preset, value of runs that differ in it, and of which methods these are where not of all."""
    planned: Resolved | None = None
    """The first run as it would be without what is typed into settings; None where that cannot be."""
    command: str = ""
    """The same on the command line."""
    epochs: tuple[int, ...] = ()
    """That each run has to train."""
    notices: tuple[str, ...] = ()
    """What should be known before these runs are started; methods with the same number share a line."""


def answer(values: FormValues, there: Sequence[RunSummary] = (), runs: Path = RUNS_DEFAULT) -> FormAnswer:
    """What the form means, with everything that is wrong told beside its field.

    Args:
        values: The form.
        there: The runs of the folder: one that would be run again is named.
        runs: The folder.
    """
    wrong = _wrong_by_itself(values)
    settings: list[str] = []
    try:
        settings = shlex.split(values.settings)
    except ValueError as error:
        wrong["settings"] = f"{error}; quotes come in pairs"
    if not values.preset.strip() and not values.configurations and "preset" not in wrong:
        wrong["preset"] = "which data? For example digits_lt"
    if wrong:
        return FormAnswer(wrong=wrong)
    planned = _planned(values)
    try:
        points = expand(values.variant.strip(), values.seed.strip(), settings)
        sources: list[Source | None] = [*map(read_source, values.sources)] or [None]
        pairs = [
            (source, _resolve(values, point.variant, point.seed, point.settings, source))
            for point in points
            for source in sources
        ]
        base = _compared_to(values)
    except UsageError as error:
        return FormAnswer(wrong=blamed(plain(str(error), lines=True)), planned=planned)
    resolved = tuple(one for _, one in pairs)
    return FormAnswer(
        resolved,
        {},
        _differences(base.config, [one.config for one in resolved]),
        planned,
        command_of(values, len(resolved)) + runs_words(runs),
        tuple(map(epochs_left, resolved)),
        (
            *_repeats([one.config for one in resolved], there),
            *(_otherwise(pairs) if values.variant.strip() else ()),
            *_notices([one.config for one in resolved]),
        ),
    )


def _differences(base: RunConfig, configs: Sequence[RunConfig]) -> tuple[tuple[str, str, str, str], ...]:
    """What each method differs in from the preset; of several runs the seeds are not told again."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for config in configs:
        for row in difference(base, config):
            if row[0] != "seed" or len(configs) == 1:
                found.setdefault(row, {})[config.variant] = None
    methods = len({config.variant for config in configs})
    return tuple((*row, ", ".join(names) if len(names) < methods else "") for row, names in found.items())


def _planned(values: FormValues) -> Resolved | None:
    variant, seed = split_list(values.variant.strip())[0], split_seeds(values.seed.strip())[0]
    try:
        source = read_source(values.sources[0]) if values.sources else None
        return _resolve(values, variant, seed, (), source)
    except UsageError:
        return None


def _compared_to(values: FormValues) -> Resolved:
    """The preset with its own method; of a run again the preset that it was started with, where that is there."""
    preset = values.preset.strip()
    if preset or not values.configurations:
        return resolve(preset, "", values.config_file)
    again = resolve(config_file=values.configurations[0])
    try:
        return resolve(again.config.preset) if again.config.preset else again
    except UsageError:
        return again


def _otherwise(pairs: Iterable[tuple[Source | None, Resolved]]) -> tuple[str, ...]:
    """What runs that are gone on from were trained with otherwise than the variant says, once each."""
    said = (other_than_of_variant(source, one) for source, one in pairs if source)
    return tuple(dict.fromkeys(filter(None, said)))


def _repeats(configs: Sequence[RunConfig], there: Sequence[RunSummary]) -> tuple[str, ...]:
    """Which finished or living runs are these already, in one line."""
    short = short_ids(row.id for row in there)
    said = []
    for config in configs:
        key = setting_key(dict(flatten(config.model_dump())))
        alike = (config.preset, config.variant, config.seed)
        rows = [
            row for row in there if (row.preset, row.variant, row.seed) == alike and row.state in _COUNTING
        ]
        names = [short[row.id] for row in rows[-_MOST_READ:] if _key_of(row) == key]
        if names:
            method = config.variant if len(configs) > 1 and config.variant else "this setting"
            said.append(f"{method} with seed {config.seed} exists: {', '.join(names)}")
    more = f"; and {len(said) - _MOST_SAID} more" if len(said) > _MOST_SAID else ""
    return ("; ".join(said[:_MOST_SAID]) + more,) if said else ()


def _key_of(row: RunSummary) -> str:
    """See `setting.setting_key`; empty where it cannot be read any more."""
    try:
        return setting_key(configuration(open_run(Path(row.path))))
    except (UsageError, OSError):
        return ""


def _notices(configs: Sequence[RunConfig]) -> tuple[str, ...]:
    """What short schedules do to weight decay, and what is hardly meant; once for all runs that it is true of."""
    said: dict[str, dict[str, None]] = {}
    for config in {config.model_copy(update={"seed": 0}): None for config in configs}:
        notice = planned_notice(config)
        if notice:
            said.setdefault(notice, {})[config.variant or "this configuration"] = None
    whole = len({config.variant for config in configs}) == 1
    short = [notice if whole else f"{', '.join(names)}: {notice}" for notice, names in said.items()]
    return (*short, *notices(configs))


def _wrong_by_itself(values: FormValues) -> dict[str, str]:
    """What is wrong in a field whatever stands in the others."""
    wrong: dict[str, str] = {}
    for name, text, load in (
        ("preset", values.preset, load_preset),
        ("variant", values.variant, load_variant),
    ):
        for part in filter(None, split_list(text.strip())):
            try:
                load(part)
            except UsageError as error:
                wrong[name] = _by_fields(plain(str(error), lines=True))
    for part in filter(None, split_seeds(values.seed.strip())):
        if not part.isascii() or not part.isdigit():
            wrong["seed"] = f"{plain(part)!r}: expected whole numbers from 0, e.g. 0 or 0,1,2 or 0-4"
    for tag in words_apart(values.tags):
        try:
            check_tags([tag])
        except UsageError as error:
            wrong["tags"] = plain(str(error))
    try:
        check_note(values.note.strip())
    except UsageError as error:
        wrong["note"] = plain(str(error))
    return wrong


def _resolve(
    values: FormValues, variant: str, seed: str, settings: Sequence[str], source: Source | None = None
) -> Resolved:
    options: dict[str, Any] = {
        "seed": parse_value(seed) if seed else None,
        "device": values.device.strip() or None,
        "name": values.name.strip() or None,
    }
    given = {key: value for key, value in options.items() if value is not None}
    if source:
        return resolve_after(source, values.preset.strip(), variant, settings, given)
    return resolve(values.preset.strip(), variant, values.config_file, settings, given)


def blamed(message: str, otherwise: str = "settings") -> dict[str, str]:
    """The field that each line of a message is about, by fields in place of options; `otherwise` where it says none."""
    wrong: dict[str, str] = {}
    for line in message.splitlines():
        found = next((name for name in FIELDS if line.startswith((f"--{name}", f"{name} = "))), otherwise)
        found = "variant" if line.startswith("--from ") else found
        line = re.sub(r"^--set ([^=\s]+)=.*?: (?=\1\b)", "", line)  # the key is named once more behind it
        line = _by_fields(re.sub(rf"^--{found}( [^:]*)?: ", "", line))
        wrong[found] = f"{wrong[found]}\n{line}" if found in wrong else line
    return wrong


def _by_fields(text: str) -> str:
    for option, here in _IN_THE_FORM.items():
        text = text.replace(option, here)
    return text


def difference(base: RunConfig, config: RunConfig) -> tuple[tuple[str, str, str], ...]:
    """Keys whose values differ, with both values as text; labels and the seed do not count."""
    before, after = dict(flatten(base.model_dump())), dict(flatten(config.model_dump()))
    keys = [key for key in {**before, **after} if key not in ("preset", "variant", "name")]
    return tuple(
        (key, _text(before.get(key)), _text(after.get(key)))
        for key in keys
        if before.get(key) != after.get(key)
    )


def _text(value: object) -> str:
    return "-" if value is None else plain(str(value))


def command_of(values: FormValues, count: int) -> str:
    """The command line that does the same, but for the folder."""
    words = ["wbtui", "run"] if count == 1 else ["wbtui", "queue", "add"]
    options = {
        "--preset": values.preset,
        "--config": str(values.config_file or ""),
        "--from": ",".join(source.name for source in values.sources),
        "--variant": values.variant,
        "--seed": values.seed,
        "--device": values.device,
        "--name": values.name,
        "--note": values.note,
    }
    for option, text in options.items():
        words += [option, text.strip()] if text.strip() else []
    for setting in shlex.split(values.settings):
        words += ["--set", setting]
    for tag in words_apart(values.tags):
        words += ["--tag", tag]
    return shlex.join(words)


def setting_keys() -> dict[str, str]:
    """Every key that may be set, in a configuration of one stage, with its docstring."""
    return dict(_described(RunConfig()))


def value_used(key: str, planned: Resolved | None) -> str:
    """The value that a key has if it is not set, and where it comes from: `150 from preset digits_lt; default 200`.

    Args:
        key: One of `setting_keys`.
        planned: See `FormAnswer`.
    """
    default = dict(flatten(RunConfig().model_dump())).get(key)
    used = dict(flatten(planned.config.model_dump())) if planned else {}
    origin = planned.origins.get(key, "") if planned else ""
    if key not in used or not origin:
        return f"default {_text(default)}"
    return f"{_text(used[key])} from {_origin_in_words(origin)}; default {_text(default)}"


def _origin_in_words(origin: str) -> str:
    """`.../variants/wd.toml` → `variant wd`; `.../digits_lt.toml [variants.wd]` → `preset digits_lt for wd`."""
    found = re.fullmatch(r"(.*\.toml)(?: \[variants\.(.*)\])?", origin)
    if found is None:
        return plain(origin)
    path = Path(found[1])
    for kind, paths in (("preset", preset_paths()), ("variant", variant_paths())):
        if paths.get(path.stem, ("", None))[1] == path:
            return plain(f"{kind} {path.stem}" + (f" for {found[2]}" if found[2] else ""))
    return plain(origin)


def _described(section: Any, prefix: str = "") -> "list[tuple[str, str]]":
    found: list[tuple[str, str]] = []
    for name, info in type(section).model_fields.items():
        value = getattr(section, name)
        if hasattr(type(value), "model_fields"):
            found += _described(value, f"{prefix}{name}.")
        elif name == "stages":
            found += _described(value[0], f"{prefix}stages.0.")
        elif f"{prefix}{name}" not in ("preset", "variant", "name", "seed", "device"):
            found.append((f"{prefix}{name}", " ".join((info.description or "").split())))
    return found
