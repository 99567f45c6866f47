"""What does logit adjustment make of finished runs, as the strength is moved?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.timer import Timer

from wbtui.adjustment import DEFAULT_METHOD, METHODS
from wbtui.plotting import Canvas, GlyphSet, LinePlot
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui import adjust_trials as moves
from wbtui.tui.actions import bindings
from wbtui.tui.adjust_bench import Bench, Survey
from wbtui.tui.adjust_lines import (
    BASIS_WORDS,
    before_parts,
    figure_parts,
    method_label,
    moved_classes,
    symbol,
    table_header,
    table_line,
)
from wbtui.tui.adjust_pictures import Look, change_bars, class_bars, curve_plot, with_marks
from wbtui.tui.adjust_seeds import fold_header, fold_line, said_lines
from wbtui.tui.adjust_trials import Outcome, Trial
from wbtui.tui.adjust_work import AdjustWork
from wbtui.tui.ink import Part
from wbtui.tui.presence import is_open
from wbtui.tui.screens.adjust_keys import AdjustKeys
from wbtui.tui.theme import BAD, CAUTION
from wbtui.tui.widgets import too_small
from wbtui.tui.widgets.canvas_pane import CanvasPane
from wbtui.tui.widgets.key_bar import KeyBar
from wbtui.tui.widgets.one_line import OneLine
from wbtui.tui.widgets.pick_list import ChoiceBar, PickList
from wbtui.tui.widgets.strength_slider import StrengthSlider
from wbtui.tui.widgets.tiles import Tiles
from wbtui.tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp

REST_SECONDS = 0.25
_LOOK_SECONDS = 1.0
"""Between two looks whether a run was taken away: what the feed reads is handed to the screen below."""
MOST_RUNS = 8
_TALL_FOR_CLASSES = 20
_CRITERIA = {"all": "All", "harmonic": "harmonic mean of groups", "few": "Tail"}


def open_adjust(app: "WbtuiApp", rows: Sequence[RunSummary]) -> None:
    """Adjust the finished ones of these runs; the first of them is the one that keys act on."""
    finished = [row for row in rows if row.state == "finished"]
    if not rows or rows[0] not in finished:
        app.say("logit adjustment needs the stored predictions of a finished run", "warning")
        return
    left_out = len(finished) - MOST_RUNS
    if left_out > 0:
        app.say(f"{MOST_RUNS} runs are adjusted side by side at most: {left_out} more left out", "warning")
    app.push_screen(AdjustScreen([Path(row.path) for row in finished[:MOST_RUNS]]))


class AdjustScreen(AdjustKeys):
    """Method, strength, figures, pictures, and settings side by side.

    Args:
        folders: Of finished runs.
    """

    BINDINGS = bindings("adjust")
    AUTO_FOCUS = ""  # all keys belong to the screen
    CSS = """
    AdjustScreen #top, AdjustScreen #status { background: $surface; }
    AdjustScreen #methods { background: $panel; }
    AdjustScreen #settings { max-height: 7; }
    AdjustScreen #seeds { max-height: 4; }
    /* figures stand above and below the pictures: messages stand on these */
    AdjustScreen ToastRack { dock: top; align: right top; margin-top: 4; margin-bottom: 0; }
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__()
        self._folders = tuple(folders)
        self._curve: tuple[object, LinePlot] | None = None
        self._resting: Timer | None = None
        self._due = False
        self._names: dict[str, str] = {}
        self._gone: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """Methods, strength, figures, pictures, settings, keys."""
        yield OneLine(id="top")
        yield ChoiceBar(id="methods")
        yield StrengthSlider(id="strength")
        yield StrengthSlider(id="gamma")
        yield OneLine(id="figures")
        yield Tiles(CanvasPane(id="curve"), CanvasPane(id="classes"), CanvasPane(id="changes"), id="pictures")
        yield OneLine(id="gained")
        yield OneLine(id="lost")
        yield PickList(id="settings")
        yield PickList(id="seeds")
        yield OneLine(id="status")
        yield KeyBar("adjust", id="keys")
        yield TooSmall()

    def on_mount(self) -> None:
        """Read the predictions, in a thread."""
        too_small.mark(self, self.app.size)
        self.query_one("#gamma").display = False
        self.query_one("#top", OneLine).show(
            [(" Adjust ", "bold reverse"), (" reading predictions ...", "dim")]
        )
        self.work = AdjustWork(self._folders, self.call_later, self._say_problem, self.learned)
        self.work.load(self._loaded)
        self.set_interval(_LOOK_SECONDS, self._notice_gone)

    def on_unmount(self) -> None:
        """Let the threads go."""
        self.work.close()

    @property
    def busy(self) -> bool:
        """Whether something is still being computed."""
        return self.work.busy or self._resting is not None or self._due

    # ------------------------------------------------------------------ what comes in

    def _say_problem(self, text: str) -> None:
        self.dashboard.say(text, "error")

    def _loaded(self) -> None:
        if not self.work.benches:
            self.dismiss()
            return
        self.trials = self.work.begin(DEFAULT_METHOD)
        for trial in self.trials:
            self.work.look_into(trial)
        self.draw_soon()

    def _notice_gone(self) -> None:
        gone = frozenset(self.work.benches.keys() - self.dashboard.snapshot.by_id.keys())
        if gone != self._gone:
            self._gone = gone
            self.draw_soon()

    @property
    def bench(self) -> Bench:
        """The run of the current setting."""
        return self.work.benches[self.trials[self.current].run_id]

    def learned(self) -> None:
        """More is known: settings that nobody has moved take the strength that is chosen."""
        for index, trial in enumerate(self.trials):
            if trial.follows and (found := self.work.choice_of(trial)) is not None:
                key, choice = found
                self.change(index, moves.chosen(trial, choice.strength, choice.basis, key.gamma))
        self.draw_soon()

    def draw_soon(self) -> None:
        """Draw once, however many keys were pressed since the last time."""
        if not self._due:
            self._due = True
            self.call_later(self._draw)

    def _wait_for_rest(self) -> None:
        if self._resting is not None:
            self._resting.stop()
            self._resting = None
        if self.work.unrested(self.trials):
            self._resting = self.set_timer(REST_SECONDS, self._rest)

    def _rest(self) -> None:
        """The strength rests: the interval of each setting, the current one first."""
        self._resting = None
        for trial in self.work.unrested([*self.trials[self.current :], *self.trials[: self.current]]):
            self.work.rest(trial)

    # ------------------------------------------------------------------ drawing

    def _draw(self) -> None:
        self._due = False
        trial = self.trial
        if trial is None or not is_open(self):
            return
        self.outcomes = {one: self.work.outcome_of(one, self.outcomes.get(one)) for one in self.trials}
        self._draw_lines(trial, self.outcomes[trial])
        self._draw_pictures(trial, self.outcomes[trial])
        self._wait_for_rest()

    def _marks(self, trial: Trial) -> dict[str, float]:
        """Letters on slider and curve: V chosen on validation, P published, O the oracle."""
        survey = self.work.survey_of(trial)
        if not trial.highest:
            return {}
        if survey is None or survey.choice is None:
            return {"P": METHODS[trial.method].offered_strength(self.class_count_of(trial))}
        oracle = {} if survey.oracle is None else {"O": survey.oracle.strength}
        return {**oracle, "V" if survey.choice.basis == "validation" else "P": survey.choice.strength}

    def _draw_lines(self, trial: Trial, outcome: Outcome | None) -> None:
        self._draw_top(trial)
        self._draw_strength(trial)
        self.query_one("#figures", OneLine).show(
            figure_parts(outcome, self.size.width),
            before_parts(self.bench.before, outcome.rest if outcome else None),
        )
        self._draw_lists()
        self._share_lines()
        self.query_one("#status", OneLine).show(self._status(trial))

    def _draw_top(self, trial: Trial) -> None:
        """Which run, on how many images, towards what."""
        bench = self.bench
        goal = _CRITERIA.get(trial.criterion, trial.criterion)
        chosen_on = f"{bench.validation_images:,} validation" if bench.validation_images else "NO validation"
        others = f"   1 of {len(self.work.benches)} runs " if len(self.work.benches) > 1 else ""
        there = trial.run_id in self.dashboard.snapshot.by_id
        gone = [] if there else [(" is not there any more", CAUTION)]
        self.query_one("#top", OneLine).show(
            [(" Adjust ", "bold reverse"), (f" {self.called(trial.run_id)}", "bold"), *gone, (others, "dim")],
            [(f"{chosen_on}, {bench.material.test.n_images:,} test images   maximise {goal} ", "dim")],
        )

    def _draw_strength(self, trial: Trial) -> None:
        """The method and its strengths."""
        ascii_only = self.dashboard.ascii_only
        self.query_one("#methods", ChoiceBar).choose(
            "",
            [method_label(name, ascii_only=ascii_only) for name in METHODS],
            list(METHODS).index(trial.method),
        )
        words = BASIS_WORDS[trial.basis] if trial.highest else "nothing to set"
        self.query_one("#strength", StrengthSlider).show(
            symbol(trial, ascii_only=ascii_only),
            trial.strength,
            trial.highest,
            self._marks(trial),
            ((f"  {words} ", "dim"),),
        )
        gamma = self.query_one("#gamma", StrengthSlider)
        gamma.display = trial.is_pair
        if trial.is_pair:
            gamma.show("gamma" if ascii_only else "γ", trial.gamma, moves.HIGHEST_GAMMA, {}, ((" ", ""),))

    def _draw_lists(self) -> None:
        """The settings that were tried, and what they come to over seeds."""
        width, ascii_only = self.size.width, self.dashboard.ascii_only
        self.query_one("#settings", PickList).show(
            table_header(width - 1),
            [
                table_line(
                    one,
                    self.outcomes.get(one),
                    self.called(one.run_id),
                    self.work.is_saved(one),
                    width - 1,
                    ascii_only=ascii_only,
                )
                for one in self.trials
            ],
            self.current,
        )
        folds = self.folds()
        self.query_one("#seeds", PickList).show(
            fold_header(width - 1, ascii_only=ascii_only),
            [
                *(
                    fold_line(
                        one,
                        width - 1,
                        preset=self.work.presets.get(one.trials[0].run_id),
                        ascii_only=ascii_only,
                    )
                    for one in folds
                ),
                *said_lines(folds),
            ],
            -1,
        )

    def called(self, run_id: str) -> str:
        """A run as people know it."""
        row = self.dashboard.snapshot.by_id.get(run_id)
        short = self.dashboard.short(run_id)
        if row is None:  # taken away meanwhile
            return self._names.get(run_id, plain(short))
        seed = "" if row.seed is None else f" s{row.seed}"
        self._names[run_id] = plain(f"{short} {row.name or row.variant}{seed}")
        return self._names[run_id]

    def _status(self, trial: Trial) -> list[Part]:
        survey = self.work.survey_of(trial)
        if why := self.work.refusal(trial):
            return [(f" {plain(why)}", BAD)]
        if survey is None:
            return [(" computing ...", "dim")]
        if survey.sampled:
            return [(f" a sample of {survey.images:,} images; all of them are being computed ...", CAUTION)]
        if (warning := survey.warning) is not None:
            return [(f" {warning.brief()}", CAUTION)]
        choice = survey.choice
        if choice is not None and choice.basis == "validation" and trial.highest:
            low, high = choice.within_one_error
            said = f" strengths from {low:.3g} to {high:.3g} are within one standard error on validation"
            return [(said, "dim")]
        if not self.bench.validation_images and trial.highest:
            return [
                (f" nothing is chosen without validation images; P: {survey.method.strength_source}", "dim")
            ]
        return [("", "")]

    def _draw_pictures(self, trial: Trial, outcome: Outcome | None) -> None:
        ascii_only = self.dashboard.ascii_only
        look = Look(GlyphSet.ASCII if ascii_only else GlyphSet.BRAILLE, symbol(trial, ascii_only=ascii_only))
        survey = self.work.survey_of(trial)
        if survey is not None:
            marks = self._marks(trial)
            self.query_one("#curve", CanvasPane).show(
                (id(survey), tuple(marks.items()), trial.strength),
                lambda width, height: self._curve_canvas(survey, look, marks, trial.strength, width, height),
            )
        if outcome is not None:
            bench = self.bench
            axis = bench.class_axis
            after, before = outcome.accuracy.by_class, outcome.before.by_class
            key = (trial, outcome.exact, outcome.rest is not None)
            self.query_one("#classes", CanvasPane).show(
                key, lambda w, h: class_bars(after, before, axis, look, w, h)
            )
            self.query_one("#changes", CanvasPane).show(
                key, lambda w, h: change_bars(after, before, axis, look, w, h)
            )
            counts = bench.material.test.train_counts.tolist()
            gained, lost = moved_classes(outcome, axis.called, counts, max(self.size.width // 18, 2))
            self.query_one("#gained", OneLine).show(gained)
            self.query_one("#lost", OneLine).show(lost)

    def _curve_canvas(
        self, survey: Survey, look: Look, marks: dict[str, float], strength: float, width: int, height: int
    ) -> Canvas:
        """The curves are drawn once, the marks upon them at every step."""
        key = (id(survey), look, width, height)
        if self._curve is None or self._curve[0] != key:
            self._curve = (key, curve_plot(survey, look, width, height))
        return with_marks(self._curve[1], look, marks, strength)

    def on_resize(self, event: events.Resize) -> None:
        """Fill the lines anew; on a low screen the classes that moved make room for the pictures."""
        self._share_lines()
        self.draw_soon()

    def _share_lines(self) -> None:
        self.show_lines(not self.query_one(Tiles).alone)

    def show_lines(self, wanted: bool) -> None:
        """Show or hide what stands below the pictures."""
        self.query_one("#settings").display = wanted
        self.query_one("#seeds").display = wanted and bool(self.folds())
        for name in ("#gained", "#lost"):
            self.query_one(name).display = wanted and self.size.height >= _TALL_FOR_CLASSES

    @on(CanvasPane.Pointed, "#curve")
    def _curve_clicked(self, message: CanvasPane.Pointed) -> None:
        if self.trial is None or self._curve is None:
            return
        plane = self._curve[1].plane
        if plane.area.left <= message.column < plane.area.right:
            self.set(moves.moved_to(self.trial, round(plane.x_at(message.column), 2)))
