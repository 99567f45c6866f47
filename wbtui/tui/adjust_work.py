"""What is known of the settings that are tried, and who finds out the rest without the screen waiting?"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from wbtui.adjustment import Choice
from wbtui.errors import UsageError
from wbtui.report.derived import TRAINING_COUNTS, Derived, load_derived, save_derived
from wbtui.report.seeds import Candidate, candidate
from wbtui.report.settings import fold_seeds
from wbtui.store.reader import open_run
from wbtui.tui.adjust_bench import Bench, Exact, MethodKey, Survey
from wbtui.tui.adjust_trials import Outcome, Trial, with_method
from wbtui.tui.desk import Desk, Post

_Loaded = tuple[
    list[Bench],
    dict[str, str],
    dict[str, object],
    dict[str, Candidate],
    dict[tuple[str, str], str],
    list[str],
]


class AdjustWork:
    """Benches, curves, choices and exact figures; what is asked twice is computed once.

    Attributes:
        benches: By run id, as soon as they are read.
        settings: Run id → what its seeds have in common, as a comparison calls it.
        presets: Run id → its preset.
        known: Run id → what decides whether it counts beside other runs of its seed.

    Args:
        folders: Of finished runs.
        post: See `desk.Post`.
        say: Told what goes wrong, in the screen's thread.
        changed: Called in the screen's thread when more is known.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        post: Post,
        say: Callable[[str], object],
        changed: Callable[[], object],
    ) -> None:
        self._folders, self._say, self._changed = folders, say, changed
        self.benches: dict[str, Bench] = {}
        self.settings: dict[str, str] = {}
        self.presets: dict[str, object] = {}
        self.known: dict[str, Candidate] = {}
        self._surveys: dict[tuple[str, MethodKey, str], Survey] = {}
        self._pairs: dict[tuple[str, str], tuple[MethodKey, Choice]] = {}
        self._exact: dict[tuple[str, MethodKey, float], Exact] = {}
        self._saved: dict[tuple[str, str], str] = {}
        """(run, name) -> basis."""
        self._refused: dict[tuple[str, str, str], str] = {}
        # What a hand waits for, exact curves, and grids, which may take a minute over 50,000 x 1,000 logits.
        self._hand, self._curves, self._grids = (
            Desk(name, post, say) for name in ("adjust", "adjust-curves", "adjust-grids")
        )

    def close(self) -> None:
        """Let the threads go."""
        for desk in (self._hand, self._curves, self._grids):
            desk.close()

    @property
    def busy(self) -> bool:
        """Whether something is being computed."""
        return self._hand.busy or self._curves.busy or self._grids.busy

    # ------------------------------------------------------------------ predictions

    def load(self, done: Callable[[], object]) -> None:
        """Read the predictions; those that cannot be read are said and left out."""

        def job() -> _Loaded:
            benches: list[Bench] = []
            saved: dict[tuple[str, str], str] = {}
            problems: list[str] = []
            for folder in self._folders:
                try:
                    run = open_run(folder)
                    benches.append(Bench.of(run))
                    saved |= {(run.id, one.name): one.basis for one in load_derived(run) if not one.stale}
                except (UsageError, OSError) as error:
                    problems.append(str(error))
            alike = fold_seeds(bench.material.run for bench in benches)
            settings = {run.id: setting.label for setting in alike for run in setting.runs}
            presets = {run.id: setting.values.get("preset") for setting in alike for run in setting.runs}
            known = {bench.run_id: candidate(bench.material.run) for bench in benches}
            return benches, settings, presets, known, saved, problems

        def loaded(found: _Loaded) -> None:
            benches, self.settings, self.presets, self.known, self._saved, problems = found
            self.benches = {bench.run_id: bench for bench in benches}
            if problems:
                self._say("\n".join(problems))
            done()

        self._hand.ask("load", job, loaded)

    # ------------------------------------------------------------------ curves and choices

    def survey_of(self, trial: Trial) -> Survey | None:
        """The curves of a setting's method; None while they are not there."""
        return self._surveys.get((trial.run_id, trial.key, trial.criterion))

    def choice_of(self, trial: Trial) -> tuple[MethodKey, Choice] | None:
        """What validation chooses for a setting, the published strength without; None while it is not known."""
        if trial.is_pair and self.benches[trial.run_id].validation_images:
            return self._pairs.get((trial.run_id, trial.criterion))
        survey = self.survey_of(trial)
        return None if survey is None or survey.choice is None else (trial.key, survey.choice)

    def refusal(self, trial: Trial) -> str:
        """Why a method cannot be used on its run, or nothing be chosen so; empty: it can."""
        return self._refused.get((trial.run_id, trial.method, trial.criterion), "")

    def look_into(self, trial: Trial) -> None:
        """Compute what of a setting's curves is not there; of a large set a sample first."""
        bench, key, goal = self.benches[trial.run_id], trial.key, trial.criterion
        known = self.survey_of(trial)
        name = (trial.run_id, key, goal)

        def surveyed(found: Survey | str) -> None:
            if isinstance(found, str):
                self._refused[trial.run_id, trial.method, goal] = found
            elif (have := self._surveys.get(name)) is None or have.sampled:
                self._surveys[name] = found
            self._changed()

        def paired(found: tuple[MethodKey, Choice]) -> None:
            self._pairs[trial.run_id, goal] = found
            self._changed()

        if self.refusal(trial):
            return
        if known is None or known.sampled:
            desk = self._curves if bench.is_exact(key) else self._grids
            if known is None and bench.large:
                self._hand.ask(
                    f"sketch {trial.run_id}", lambda: _or_why(lambda: bench.sketch(key, goal)), surveyed
                )
            desk.ask(
                f"survey {trial.run_id}", lambda: _or_why(lambda: self._survey(bench, key, goal)), surveyed
            )
        if trial.is_pair and bench.validation_images and (trial.run_id, goal) not in self._pairs:
            self._grids.ask(f"pair {trial.run_id} {goal}", lambda: bench.pair(goal), paired)

    def _survey(self, bench: Bench, key: MethodKey, criterion: str) -> Survey:
        """Curves do not depend on what is maximised."""
        for (run_id, other, _), survey in list(self._surveys.items()):
            if (run_id, other) == (bench.run_id, key) and not survey.sampled:
                return bench.choosing(survey, criterion)
        return bench.survey(key, criterion)

    # ------------------------------------------------------------------ figures

    def outcome_of(self, trial: Trial, known: Outcome | None) -> Outcome | None:
        """What a setting came to: exact where it can be, else a guess until it rests; None while nothing is known.

        Args:
            trial: The setting.
            known: What was known of it before.
        """
        before = self.benches[trial.run_id].before
        exact = self._exact.get((trial.run_id, trial.key, trial.strength))
        if exact is not None:
            return known if known is not None and known.rest else Outcome(exact.accuracy, before, True, exact)
        if known is not None and known.exact:
            return known
        survey = self.survey_of(trial)
        if survey is None:
            return None
        accuracy = survey.test.summary_at(trial.strength)
        return Outcome(accuracy, before, survey.test.exact and not survey.sampled)

    def unrested(self, trials: Iterable[Trial]) -> list[Trial]:
        """Those that can be used and have no interval yet."""
        return [
            one
            for one in trials
            if (one.run_id, one.key, one.strength) not in self._exact and not self.refusal(one)
        ]

    def rest(self, trial: Trial) -> None:
        """Find the exact figures of a setting, its interval and calibration."""
        bench, name = self.benches[trial.run_id], (trial.run_id, trial.key, trial.strength)

        def rested(exact: Exact) -> None:
            self._exact[name] = exact
            self._changed()

        self._hand.ask(f"rest {name}", lambda: bench.exact(trial.key, trial.strength), rested)

    # ------------------------------------------------------------------ saving

    def save(self, trial: Trial, done: Callable[[Derived], object]) -> None:
        """Keep a setting under its run, its figures over all images."""
        bench = self.benches[trial.run_id]

        def job() -> Derived:
            derived = bench.derived(trial.key, trial.strength, trial.basis, trial.criterion)
            save_derived(bench.material.run, derived)
            return derived

        def saved(derived: Derived) -> None:
            self._saved[trial.run_id, derived.name] = derived.basis
            done(derived)

        self._hand.ask(f"save {trial}", job, saved)

    def is_saved(self, trial: Trial) -> bool:
        """Whether this very setting stands under its run, its strength found in this way."""
        parameters = trial.key.method().parameters
        named = Derived(trial.method, trial.strength, trial.basis, "", TRAINING_COUNTS, {}, "", parameters)
        return self._saved.get((trial.run_id, named.name)) == trial.basis

    def begin(self, method: str) -> list[Trial]:
        """A setting for each run that could be read, at the published strength until one is chosen."""
        return [
            with_method(Trial(bench.run_id), method, bench.material.test.n_classes)
            for bench in self.benches.values()
        ]


def _or_why(job: Callable[[], Survey]) -> Survey | str:
    """The survey, or why there is none."""
    try:
        return job()
    except UsageError as error:
        return str(error)
