"""What do the keys do that act on panels? Shared by the screens that show some."""

import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from wbtui.plotting import GlyphSet
from wbtui.tui import plot_moves
from wbtui.tui.arranging import arranged, reordered
from wbtui.tui.feed import Wanted
from wbtui.tui.panels import PanelSpec, panels_of
from wbtui.tui.plots import PlotState, Shown, x_extent
from wbtui.tui.screens.closing import ClosesOnce
from wbtui.tui.screens.dialogs import Arrange, Arrangement
from wbtui.tui.seeds import XAxis, x_of
from wbtui.tui.snapshots import Curve, Floats, Snapshot
from wbtui.tui.widgets import too_small
from wbtui.tui.widgets.key_bar import KeyBar
from wbtui.tui.widgets.one_line import OneLine
from wbtui.tui.widgets.panel import Panel
from wbtui.tui.widgets.panel_grid import PanelGrid

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp
    from wbtui.tui.views import Views


_REMARK_SECONDS = 4.0
_ANY_PANEL = ("log_y", "cursor", "open", "full_screen", "back", "next_tab")
_CURVE_KEYS = ("smoother", "rougher", "raw", "x_axis", "zoom_in")


class PanelKeys(ClosesOnce[None]):
    """A screen with panels: the state of their view and the keys that change it."""

    def __init__(self) -> None:
        super().__init__()
        self.plot_state = PlotState()
        self.active_panel = 0
        self.full = False
        self.in_panels = False
        self._specs: tuple[PanelSpec, ...] = ()
        self._declared: frozenset[str] = frozenset()
        self._arranged: tuple[PanelSpec, ...] = ()
        self._arranged_of: object = None
        self._remarked_until = 0.0

    # ------------------------------------------------------------------ what a screen provides

    @property
    def dashboard(self) -> "WbtuiApp":
        """The application."""
        return cast("WbtuiApp", self.app)

    @abstractmethod
    def shown(self) -> Sequence[Shown]:
        """The runs whose curves are drawn, the one that bars are of first."""

    @abstractmethod
    def panels_changed(self) -> None:
        """Something about the panels is another: draw them, ask the feed for what they need."""

    @abstractmethod
    def take(self, snapshot: Snapshot) -> None:
        """Show what the feed read."""

    def on_screen_resume(self) -> None:
        """Show what was read while another screen was above."""
        too_small.mark(self, self.app.size)
        if self.dashboard.watching is self:
            self.take(self.dashboard.snapshot)

    def want(self, runs: Sequence[str], files: str = "") -> None:
        """Ask the feed for these runs and for what the panels in sight draw, unless another screen is above."""
        if self.dashboard.watching is self:
            self.dashboard.feed.want(Wanted(tuple(runs), self.wanted_metrics(), files))

    # ------------------------------------------------------------------ state

    def begin_view(self, views: "Views") -> None:
        """Take up the view as it was left."""
        self.plot_state = PlotState(
            smoothing=views.smoothing,
            x_axis=cast(XAxis, views.x_axis),
            log_y=frozenset(views.log_y),
            splits=dict(views.splits),
            class_views=dict(views.class_views),
            glyphs=GlyphSet.ASCII if self.dashboard.ascii_only else GlyphSet.BRAILLE,
            colour=not self.dashboard.no_color,
        )

    def _change(self, state: PlotState) -> None:
        self.plot_state, self._remarked_until = state, 0.0
        self.dashboard.keep_views(
            smoothing=state.smoothing,
            x_axis=state.x_axis,
            log_y=tuple(sorted(state.log_y)),
            splits=dict(state.splits),
            class_views=dict(state.class_views),
        )
        self.panels_changed()

    @property
    def specs(self) -> tuple[PanelSpec, ...]:
        """The panels that are wanted, in order, of what the shown runs declare."""
        details = [detail for one in self.shown() for detail in one.details]
        declared = frozenset[str]().union(*(detail.metrics.keys() for detail in details))
        if declared != self._declared:
            self._declared = declared
            self._specs = panels_of(metric for detail in details for metric in detail.metrics.values())
        views = self.dashboard.views
        arranged_of = (declared, views.panels, views.hidden)
        if arranged_of != self._arranged_of:
            self._arranged_of = arranged_of
            self._arranged = arranged(self._specs, views.panels, views.hidden)
        return self._arranged

    @property
    def without_panels_why(self) -> str:
        """Why there is no panel; empty where that is not known yet."""
        if not self._specs:
            details = [detail for one in self.shown() for detail in one.details]
            read = any(detail.version and not detail.problem for detail in details)
            return "nothing has been measured" if read else ""
        return f"no panel is chosen: {self.dashboard.keys_of(f'{self.dashboard.here(self)}.choose_panels')} chooses"

    @property
    def active_spec(self) -> PanelSpec | None:
        """The panel that keys act on."""
        specs = self.specs
        return specs[min(self.active_panel, len(specs) - 1)] if specs else None

    def wanted_metrics(self) -> frozenset[str]:
        """Vector and matrix metrics of the panels in sight."""
        grid = self.query_one(PanelGrid)
        in_sight = grid.in_sight if grid.display else ()
        return frozenset(
            metric
            for spec in self.specs
            if spec.axis != "scalar" and spec.key in in_sight
            for metric in spec.view(self.plot_state.splits.get(spec.key, 0)).metrics
        )

    @property
    def x_axis(self) -> XAxis:
        """Along what the panels lie."""
        return self.plot_state.x_axis

    def _places(self) -> Floats:
        """Where the cursor can stand: the epochs of the first shown run."""
        for detail in (detail for one in self.shown() for detail in one.details):
            if len(detail.epochs):
                every = Curve(detail.epochs, np.zeros(len(detail.epochs)))
                return x_of(detail, every, self.x_axis)
        return np.zeros(0)

    # ------------------------------------------------------------------ keys

    def action_panel(self, number: int) -> None:
        """Go to a panel by its number."""
        if number <= len(self.specs):
            self._go_to_panel(number - 1)

    def _go_to_panel(self, number: int) -> None:
        self.active_panel = number
        self.go_into_panels()
        self.panels_changed()

    def action_next_pane(self) -> None:
        """The next panel."""
        self._step_panel(1)

    def action_previous_pane(self) -> None:
        """The panel before."""
        self._step_panel(-1)

    def _step_panel(self, by: int) -> None:
        if self.specs:
            self._go_to_panel((min(self.active_panel, len(self.specs) - 1) + by) % len(self.specs))

    def go_into_panels(self, inside: bool = True) -> None:
        """Give `enter` to the panel that keys act on, or take it back, on a screen that has more than panels."""
        if inside != self.in_panels:
            self.in_panels = inside
            self.query_one(PanelGrid).set_class(inside, "-keys")
            self.show_keys()
            # Textual tells nobody that a component's style changed.
            self.call_after_refresh(self._restyle_panels)

    @property
    def steers_panel(self) -> bool:
        """Whether a panel has the keys: somebody went to it, or it has the whole screen."""
        return (self.in_panels or self.full) and self.query_one(PanelGrid).display

    @property
    def _lies_along_epochs(self) -> bool:
        """Whether the panel that keys act on has an x axis of epochs, time or images."""
        spec = self.active_spec
        return spec is not None and spec.axis == "scalar"

    def show_keys(self) -> None:
        """Name the keys of the panel that has them, else those of the screen."""
        methods = None
        spec = self.active_spec
        if self.steers_panel and spec is not None:
            wanted = set(_ANY_PANEL)
            wanted |= set(_CURVE_KEYS) if self._lies_along_epochs else set()
            wanted |= {"class_view"} if spec.axis in ("class", "layer") else set()
            wanted |= {"next_view"} if len(spec.views) > 1 else set()
            methods = frozenset(wanted)
        self.query_one(KeyBar).of_panel(methods)

    def remark(self, text: str) -> None:
        """Say something in the status line for a moment, or until the view changes."""
        status = self.query_one("#status", OneLine)
        if not status.display:
            self.dashboard.say(text)
            return
        status.show([(f" {text}", "bold")])
        self._remarked_until = time.monotonic() + _REMARK_SECONDS
        self.set_timer(_REMARK_SECONDS + 0.1, self.show_status)

    @property
    def remarks(self) -> bool:
        """Whether the status line is taken by a remark."""
        return time.monotonic() < self._remarked_until

    @abstractmethod
    def show_status(self) -> None:
        """Write the status line, unless a remark stands there."""

    def _restyle_panels(self) -> None:
        for panel in self.query(Panel):
            panel.notify_style_update()

    def action_next_view(self) -> None:
        """The next split."""
        spec = self.active_spec
        if spec is not None:
            self._change(plot_moves.next_split(self.plot_state, spec.key, len(spec.views)))

    def action_class_view(self) -> None:
        """Bars, curves or heatmap."""
        spec = self.active_spec
        if spec is None or spec.axis not in ("class", "layer"):
            spec = next((one for one in self.specs if one.axis in ("class", "layer")), None)
        if spec is not None:
            self.active_panel = self.specs.index(spec)
            self._change(plot_moves.next_class_view(self.plot_state, spec.key))

    def action_log_y(self) -> None:
        """Logarithmic y axis."""
        if self.active_spec is not None:
            self._change(plot_moves.log_toggled(self.plot_state, self.active_spec.key))

    def action_smoother(self) -> None:
        """More smoothing."""
        self._change(plot_moves.smoothed(self.plot_state, 1))

    def action_rougher(self) -> None:
        """Less smoothing."""
        self._change(plot_moves.smoothed(self.plot_state, -1))

    def action_raw(self) -> None:
        """No smoothing."""
        self._change(replace(self.plot_state, smoothing=0.0))

    def action_x_axis(self) -> None:
        """The next x axis, where the panel that keys act on has one to choose."""
        if self.steers_panel and not self._lies_along_epochs:
            self.remark("this panel has no x axis to choose; others go by epochs, minutes or images")
            return
        self._change(plot_moves.next_axis(self.plot_state))

    def action_zoom_in(self) -> None:
        """Half as much."""
        self._zoom(0.5)

    def action_zoom_out(self) -> None:
        """Twice as much."""
        self._zoom(2.0)

    def _zoom(self, factor: float, at: float | None = None) -> None:
        extent = x_extent(self.shown(), self.x_axis)
        self._change(plot_moves.zoomed(self.plot_state, extent, self._places(), factor, at))

    def action_cursor(self) -> None:
        """The cursor on and off."""
        state = self.plot_state
        moved = plot_moves.cursor_moved(state, self._places(), 0)
        self._change(moved if state.cursor is None else replace(state, cursor=None))

    def action_cursor_left(self) -> None:
        """An epoch back."""
        self._change(plot_moves.cursor_moved(self.plot_state, self._places(), -1))

    def action_cursor_right(self) -> None:
        """An epoch on."""
        self._change(plot_moves.cursor_moved(self.plot_state, self._places(), 1))

    def action_full_screen(self) -> None:
        """One panel with all the room, and back."""
        self.full = not self.full
        self.panels_changed()

    def action_choose_panels(self) -> None:
        """Choose and order the panels."""
        everything = arranged(self._specs, self.dashboard.views.panels)

        def chosen(answer: Arrangement | None) -> None:
            if answer is not None:
                views, offered = self.dashboard.views, frozenset(answer[0])
                others = tuple(key for key in views.hidden if key not in offered)
                self.dashboard.keep_views(
                    panels=reordered(views.panels, answer[0]), hidden=(*answer[1], *others)
                )
                self.panels_changed()

        titles = [(spec.key, spec.title) for spec in everything]
        self.app.push_screen(Arrange("Panels", titles, self.dashboard.views.hidden), chosen)

    def step_out(self) -> bool:
        """Leave full screen, else the cursor, else the zoom; whether there was something to leave."""
        if self.full:
            self.action_full_screen()
        elif self.plot_state.cursor is not None:
            self._change(replace(self.plot_state, cursor=None))
        elif self.plot_state.x_bounds is not None:
            self._change(replace(self.plot_state, x_bounds=None))
        else:
            return False
        return True

    def action_back(self) -> None:
        """One layer out: full screen, cursor, zoom, this screen."""
        if not self.step_out():
            self.dismiss()

    # ------------------------------------------------------------------ mouse and panels

    def on_panel_pointed(self, message: Panel.Pointed) -> None:
        """A panel was clicked."""
        keys = [spec.key for spec in self.specs]
        if message.panel.spec is not None and message.panel.spec.key in keys:
            self.active_panel = keys.index(message.panel.spec.key)
            self.go_into_panels()
        if message.x is not None:
            pointed = replace(
                self.plot_state, cursor=message.x
            )  # a cell is wider than the epoch that is meant
            self._change(plot_moves.cursor_moved(pointed, self._places(), 0))
        else:
            self.panels_changed()

    def on_panel_grid_chosen(self, message: PanelGrid.Chosen) -> None:
        """The tab of a panel was clicked."""
        self._go_to_panel(message.number)

    def on_panel_wheeled(self, message: Panel.Wheeled) -> None:
        """The wheel was turned over a panel."""
        self._zoom(0.8 if message.inward else 1.25, message.x)

    def on_panel_grid_changed(self) -> None:
        """Other panels came into sight: the feed reads what they need."""
        self.panels_changed()
