"""What do the keys do that adjust logits: method, strength, settings side by side, saving?"""

from abc import abstractmethod
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import on

from wbtui.adjustment import METHODS, published_choice
from wbtui.report.derived import Derived
from wbtui.report.table import Table
from wbtui.tui import adjust_trials as moves
from wbtui.tui.adjust_lines import trials_table
from wbtui.tui.adjust_seeds import SeedFold, folded, with_folds
from wbtui.tui.adjust_trials import Outcome, Trial
from wbtui.tui.adjust_work import AdjustWork
from wbtui.tui.screens.closing import ClosesOnce
from wbtui.tui.widgets.pick_list import Picked
from wbtui.tui.widgets.strength_slider import StrengthSlider
from wbtui.tui.widgets.tiles import Tiles

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp


class AdjustKeys(ClosesOnce[None]):
    """The settings that are tried, and the keys that change them."""

    work: AdjustWork

    def __init__(self) -> None:
        super().__init__()
        self.trials: list[Trial] = []
        self.current = 0
        self.outcomes: dict[Trial, Outcome | None] = {}

    # ------------------------------------------------------------------ what a screen provides

    @property
    def dashboard(self) -> "WbtuiApp":
        """The application."""
        return cast("WbtuiApp", self.app)

    @abstractmethod
    def draw_soon(self) -> None:
        """Something is another: draw it."""

    @abstractmethod
    def learned(self) -> None:
        """More is known: settings that nobody has moved take the strength that is chosen."""

    @abstractmethod
    def show_lines(self, wanted: bool) -> None:
        """Show or hide what stands below the pictures."""

    @abstractmethod
    def called(self, run_id: str) -> str:
        """A run as people know it."""

    # ------------------------------------------------------------------ settings

    @property
    def trial(self) -> Trial | None:
        """The setting that keys act on; None while nothing is read."""
        return self.trials[self.current] if self.trials else None

    def folds(self) -> list[SeedFold]:
        """Seeds of one setting that are adjusted alike, together."""
        known, short = self.work.known, self.dashboard.short_ids
        return folded(self.trials, self.outcomes, self.work.settings, known, short)

    def class_count_of(self, trial: Trial) -> int:
        """Classes of a setting's run."""
        return self.work.benches[trial.run_id].material.test.n_classes

    def change(self, index: int, trial: Trial) -> None:
        """Put another setting in the place of one."""
        self.trials[index] = trial
        self.work.look_into(trial)

    def set(self, trial: Trial) -> None:
        """Change the current setting; figures and pictures follow at once, the interval when it rests."""
        if trial != self.trial:
            self.change(self.current, trial)
            self.draw_soon()

    # ------------------------------------------------------------------ keys: method and strength

    def _with_method(self, index: int) -> None:
        trial = self.trial
        if trial is not None and 0 <= index < len(METHODS):
            self.set(moves.with_method(trial, list(METHODS)[index], self.class_count_of(trial)))
            self.learned()

    def action_method(self, number: int) -> None:
        """A method by its number."""
        self._with_method(number - 1)

    def action_next_method(self) -> None:
        """The next method."""
        self._step_method(1)

    def action_previous_method(self) -> None:
        """The method before."""
        self._step_method(-1)

    def _step_method(self, by: int) -> None:
        if self.trial is not None:
            self._with_method((list(METHODS).index(self.trial.method) + by) % len(METHODS))

    @on(Picked, "#methods")
    def _method_clicked(self, message: Picked) -> None:
        self._with_method(message.index)

    def _step(self, by: float) -> None:
        if self.trial is not None:
            self.set(moves.stepped(self.trial, by))

    def action_weaker(self) -> None:
        """A step down."""
        self._step(-moves.STEP)

    def action_stronger(self) -> None:
        """A step up."""
        self._step(moves.STEP)

    def action_finer_down(self) -> None:
        """A fine step down."""
        self._step(-moves.FINE)

    def action_finer_up(self) -> None:
        """A fine step up."""
        self._step(moves.FINE)

    def action_leap_down(self) -> None:
        """A large step down."""
        self._step(-moves.LEAP)

    def action_leap_up(self) -> None:
        """A large step up."""
        self._step(moves.LEAP)

    def action_lowest(self) -> None:
        """Strength 0."""
        if self.trial is not None:
            self.set(moves.moved_to(self.trial, 0.0))

    def action_highest(self) -> None:
        """The end of the search."""
        if self.trial is not None:
            self.set(moves.moved_to(self.trial, self.trial.highest))

    def action_less_gamma(self) -> None:
        """Less of the pair's multiplicative strength."""
        self._step_gamma(-moves.STEP)

    def action_more_gamma(self) -> None:
        """More of it."""
        self._step_gamma(moves.STEP)

    def _step_gamma(self, by: float) -> None:
        trial = self.trial
        if trial is None:
            return
        after = moves.with_gamma(trial, trial.gamma + by)
        if not trial.is_pair:
            pair = list(METHODS).index("additive_multiplicative") + 1
            self.dashboard.say(f"only the pair (method {pair}) has a second strength γ")
        elif after.gamma == trial.gamma:
            self.dashboard.say(
                f"γ is {trial.gamma:g} already, the {'lowest' if by < 0 else 'highest'} there is"
            )
        else:
            self.set(after)

    def on_strength_slider_moved(self, message: StrengthSlider.Moved) -> None:
        """The knob was dragged."""
        if self.trial is None:
            return
        nearest = round(message.value / moves.FINE) * moves.FINE
        move = moves.with_gamma if message.slider.id == "gamma" else moves.moved_to
        self.set(move(self.trial, nearest))

    def on_strength_slider_wheeled(self, message: StrengthSlider.Wheeled) -> None:
        """The wheel was turned over a slider."""
        if message.slider.id == "gamma":
            self.action_more_gamma() if message.up else self.action_less_gamma()
        else:
            self._step(moves.STEP if message.up else -moves.STEP)

    def action_chosen(self) -> None:
        """The strength that validation chooses."""
        trial = self.trial
        if trial is None or not trial.highest:
            return
        found = self.work.choice_of(trial)
        if found is None:
            self.dashboard.say("the choice is still being computed")
        else:
            key, choice = found
            if choice.basis == "published":
                self.dashboard.say("no validation images: nothing is chosen, the published strength is taken")
            self.set(moves.chosen(trial, choice.strength, choice.basis, key.gamma))

    def action_published(self) -> None:
        """The published strength."""
        trial = self.trial
        if trial is not None and trial.highest:
            choice = published_choice(METHODS[trial.method], self.class_count_of(trial))
            fresh = moves.with_method(trial, trial.method, self.class_count_of(trial))
            self.set(moves.chosen(fresh, choice.strength, choice.basis))

    def action_oracle(self) -> None:
        """The best strength on test."""
        trial = self.trial
        survey = self.work.survey_of(trial) if trial is not None else None
        if trial is not None and survey is not None and survey.oracle is not None and trial.highest:
            self.set(moves.chosen(trial, survey.oracle.strength, "oracle"))

    def action_criterion(self) -> None:
        """What is maximised next."""
        if self.trial is not None:
            self.set(moves.next_criterion(self.trial))
            self.learned()

    # ------------------------------------------------------------------ keys: settings side by side

    def _go_to(self, index: int) -> None:
        if 0 <= index < len(self.trials) and index != self.current:
            self.current = index
            self.draw_soon()

    def action_up(self) -> None:
        """The setting above."""
        self._go_to(self.current - 1)

    def action_down(self) -> None:
        """The setting below."""
        self._go_to(self.current + 1)

    @on(Picked, "#settings")
    def _setting_clicked(self, message: Picked) -> None:
        self._go_to(message.index)

    def action_add(self) -> None:
        """Keep this setting and go on with a copy of it below."""
        trial = self.trial
        if trial is None:
            return
        if len(self.trials) >= moves.MOST_TRIALS:
            self.dashboard.say(
                f"{moves.MOST_TRIALS} settings stand side by side at most; X drops one", "warning"
            )
            return
        self.trials.insert(self.current + 1, replace(trial, follows=False))
        self._go_to(self.current + 1)

    def action_seeds(self) -> None:
        """Adjust the other seeds of this run's setting alike; where validation chooses, each by its own."""
        trial = self.trial
        if trial is None:
            return
        label = self.work.settings.get(trial.run_id)
        others = [
            one for one in self.work.benches if self.work.settings[one] == label and one != trial.run_id
        ]
        if not others:
            self.dashboard.say(
                "no other seed of this setting is here: select them (space) before L", "warning"
            )
        elif trial.basis == "oracle":
            self.dashboard.say("an oracle is each seed's own: o on its line", "warning")
        else:
            trials = moves.with_seeds(self.trials, self.current, others)
            if trials == self.trials:
                full = len(trials) >= moves.MOST_TRIALS
                room = f"{moves.MOST_TRIALS} settings stand side by side at most; X drops one"
                self.dashboard.say(room if full else "the other seeds are adjusted alike already")
                return
            self.trials = trials
            self.current = self.trials.index(trial)
            for one in self.trials:
                self.work.look_into(one)
            self.learned()

    def action_drop(self) -> None:
        """Drop this setting."""
        if len(self.trials) > 1:
            del self.trials[self.current]
            self.current = min(self.current, len(self.trials) - 1)
            self.draw_soon()

    def action_save(self) -> None:
        """Save this setting under its run; of seeds that are adjusted alike each under its own."""
        trial = self.trial
        if trial is None or self.dashboard.refuses_writing():
            return
        alike = next((fold.trials for fold in self.folds() if trial in fold.trials), (trial,))
        kept: list[str] = []

        def saved(one: Trial, derived: Derived) -> None:
            own = derived.name if self.dashboard.ascii_only else derived.title
            kept.append(f"{self.dashboard.short(one.run_id)}:{own}")
            if len(kept) == len(alike):
                beside = "it beside its run" if len(kept) == 1 else "them folded beside their runs"
                self.dashboard.say(f"saved as {', '.join(kept)}; a comparison shows {beside}")
            self.dashboard.feed.hurry()
            self.draw_soon()

        for one in alike:
            self.work.save(one, partial(saved, one))

    # ------------------------------------------------------------------ keys: pictures, leaving

    def action_next_pane(self) -> None:
        """The next picture."""
        self.query_one(Tiles).step(1)

    def action_previous_pane(self) -> None:
        """The picture before."""
        self.query_one(Tiles).step(-1)

    def action_full_screen(self) -> None:
        """One picture with all the room, and back."""
        tiles = self.query_one(Tiles)
        tiles.alone = not tiles.alone
        self.show_lines(not tiles.alone)
        tiles.share_room()

    def action_back(self) -> None:
        """One layer out: full screen, this screen."""
        if self.query_one(Tiles).alone:
            self.action_full_screen()
        else:
            self.dismiss()

    def action_compare(self) -> None:
        """Compare these runs, with and without what is saved under them."""
        from wbtui.tui.screens.compare import open_compare

        ids = dict.fromkeys(trial.run_id for trial in self.trials)
        rows = {row.id: row for row in self.dashboard.snapshot.rows}
        open_compare(self.dashboard, [rows[one] for one in ids if one in rows], derived=True)

    def _table(self) -> Table:
        names = {run_id: self.called(run_id) for run_id in self.work.benches}
        return with_folds(trials_table(self.trials, self.outcomes, names), self.folds())

    def action_copy(self) -> None:
        """Copy the settings side by side."""
        from wbtui.tui.screens.table_exports import ask_to_copy

        if self.trials:
            ask_to_copy(self.dashboard, self._table())

    def action_write(self) -> None:
        """Write the settings side by side, or the screen, to a file."""
        from wbtui.tui.screens.table_exports import ask_to_write

        if self.trials:
            ask_to_write(self.dashboard, [self._table()], "adjust")
