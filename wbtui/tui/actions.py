"""What can a person do on each screen, by which key, and what does help say about it?

An action is named apart from its keys: `runs.filter` is called in the user's configuration file, in the palette and
in the help, and its screen has a method `action_filter`. A key is bound by putting it here and nowhere else.
"""

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Action:
    """Something that a key does."""

    id: str
    """SCREEN.METHOD, e.g. runs.filter."""
    keys: str
    """Default keys by Textual's names, apart by comma."""
    title: str
    """Two or three words, for the footer and the palette."""
    help: str
    """A sentence."""
    footer: int = 0
    """Place in the footer, 1 first; 0: not there."""
    writes: bool = False
    """Whether it changes something on disk or a process: refused with --readonly."""

    @property
    def screen(self) -> str:
        """The screen it belongs to."""
        return self.id.partition(".")[0]

    @property
    def method(self) -> str:
        """Name of the action method, without `action_`; `panel_3` → `panel(3)`."""
        name = self.id.partition(".")[2]
        head, _, number = name.rpartition("_")
        return f"{head}({number})" if number.isdigit() else name


def _panel_actions(screen: str) -> tuple[Action, ...]:
    numbers = tuple(
        Action(f"{screen}.panel_{n}", str(n), f"Panel {n}", f"Go to panel {n} and show it.")
        for n in range(1, 10)
    )
    return (
        *numbers,
        Action(f"{screen}.next_pane", "tab", "Next pane", "Go on to the next panel."),
        Action(f"{screen}.previous_pane", "shift+tab", "Previous pane", "Go back to the panel before."),
        Action(f"{screen}.next_view", "s", "Split", "Next split or group of curves in this panel."),
        Action(
            f"{screen}.class_view", "v", "Class view", "By class: bars, curves of all shown runs, heatmap."
        ),
        Action(f"{screen}.log_y", "y", "Log y", "Logarithmic y axis of this panel, on and off."),
        Action(f"{screen}.smoother", "plus,equals_sign", "Smoother", "Smooth curves more (debiased EMA)."),
        Action(f"{screen}.rougher", "minus", "Rougher", "Smooth curves less."),
        Action(f"{screen}.raw", "0", "No smoothing", "Show curves as they were measured."),
        Action(f"{screen}.x_axis", "x", "X axis", "Epochs, time or images along the x axis."),
        Action(f"{screen}.zoom_in", "z", "Zoom in", "Show half as much, around the cursor or the end."),
        Action(f"{screen}.zoom_out", "Z", "Zoom out", "Show twice as much."),
        Action(f"{screen}.cursor", "i", "Cursor", "A cursor that all panels share, on and off.", footer=8),
        Action(f"{screen}.cursor_left", "left,h", "Cursor left", "Move the cursor back."),
        Action(f"{screen}.cursor_right", "right,l", "Cursor right", "Move the cursor on."),
        Action(
            f"{screen}.full_screen",
            "f" if screen == "runs" else "enter,f",  # there enter opens the run, until one goes to a panel
            "Full screen",
            "Give this panel the whole screen, and back.",
        ),
        Action(f"{screen}.choose_panels", "P", "Choose panels", "Choose and order the panels."),
    )


_RUNS = (
    Action("runs.up", "up,k", "Up", "The run above."),
    Action("runs.down", "down,j", "Down", "The run below."),
    Action("runs.page_up", "pageup", "Page up", "A page of runs up."),
    Action("runs.page_down", "pagedown", "Page down", "A page of runs down."),
    Action("runs.first", "home", "First", "The first run."),
    Action("runs.last", "end", "Last", "The last run."),
    Action("runs.open", "enter", "Open", "Open the run in full; gone to a panel, that one.", footer=4),
    Action("runs.select", "space", "Select", "Show this run beside the others, or no longer."),
    Action("runs.select_none", "u", "Select none", "Drop all selections; pinned runs stay shown."),
    Action("runs.pin", "p", "Pin", "Keep this run shown, also the next time, or no longer.", footer=9),
    Action(
        "runs.baseline", "b", "Baseline", "Make this run the one that others are measured against.", footer=10
    ),
    Action(
        "runs.filter",
        "slash",
        "Filter",
        "Show only some runs: preset:digits_lt few>20 -state:failed /re/.",
        6,
    ),
    Action("runs.sort", "o", "Sort", "Order the runs by a figure; again: the other way round.", footer=10),
    Action("runs.columns", "O", "Columns", "Choose and order the columns of the table."),
    Action("runs.group", "G", "Group seeds", "Fold seeds of one setting into mean ± std, n.", footer=11),
    Action("runs.difference", "d", "Difference", "Configuration keys in which the shown runs differ."),
    Action("runs.copy", "c", "Copy", "Copy the row as Markdown or LaTeX, the id, or the command."),
    Action(
        "runs.write",
        "w",
        "Write",
        "Write the table as CSV, JSON, Markdown or LaTeX, or the screen as SVG.",
        writes=True,
    ),
    Action("runs.note", "n", "Note", "Write a note on this run.", writes=True),
    Action("runs.tags", "t", "Tags", "Add and remove tags: base -old.", writes=True),
    Action("runs.star", "asterisk", "Star", "Star this run, or no longer.", writes=True),
    Action("runs.start", "R", "Start", "Start runs: preset, variant, seeds, device, overrides.", 3, True),
    Action("runs.again", "A", "Run again", "Start a run with this run's configuration.", writes=True),
    Action(
        "runs.stages",
        "S",
        "Further stages",
        "Train wb, crt or lws on what this run has trained.",
        writes=True,
    ),
    Action("runs.resume", "r", "Resume", "Go on with a run that was stopped, failed or crashed.", 7, True),
    Action("runs.stop", "I", "Stop", "Ask a run to finish its batch, save and end.", 7, True),
    Action("runs.terminate", "T", "Terminate", "Send a run's processes SIGTERM.", writes=True),
    Action(
        "runs.kill",
        "K",
        "Kill",
        "Send a run's processes SIGKILL; work since its checkpoint is lost.",
        0,
        True,
    ),
    Action("runs.adjust", "L", "Adjust", "Logit adjustment of the shown finished runs.", footer=7),
    Action("runs.compare", "C", "Compare", "Compare the shown runs with a baseline.", footer=8),
    Action("runs.queue", "Q", "Queue", "The queue of runs.", footer=12),
    Action("runs.hide_table", "left_square_bracket", "Table", "Hide the table, or show it."),
    Action("runs.hide_panels", "right_square_bracket", "Panels", "Hide the panels, or show them."),
    Action("runs.back", "escape", "Back", "One layer out: full screen, cursor, zoom, panels, filter."),
    *_panel_actions("runs"),
)

_RUN = (
    Action("run.back", "escape", "Back", "Back to the runs.", footer=2),
    Action(
        "run.next_tab", "right_square_bracket", "Next page", "Overview, panels, heatmaps, log, system.", 3
    ),
    Action("run.previous_tab", "left_square_bracket", "Page before", "The page before."),
    Action("run.up", "up,k", "Up", "A line up."),
    Action("run.down", "down,j", "Down", "A line down."),
    Action("run.page_up", "pageup", "Page up", "A page up."),
    Action("run.page_down", "pagedown", "Page down", "A page down."),
    Action("run.first", "home", "First", "To the beginning."),
    Action("run.last", "end", "Last", "To the end; the log follows again."),
    Action("run.search", "slash", "Search", "Search this page.", footer=5),
    Action("run.next_match", "n", "Next match", "Next line that matches."),
    Action("run.previous_match", "N", "Match before", "The match before."),
    Action("run.copy", "c", "Copy", "Copy the run's id, path or command."),
    Action("run.write", "w", "Write", "Write the run as JSON, or the screen as SVG.", writes=True),
    Action("run.resume", "r", "Resume", "Go on with this run.", 4, True),
    Action("run.again", "A", "Run again", "Start a run with this run's configuration.", writes=True),
    Action(
        "run.stages", "S", "Further stages", "Train wb, crt or lws on what this run has trained.", writes=True
    ),
    Action("run.adjust", "L", "Adjust", "Logit adjustment of this run.", footer=6),
    Action("run.compare", "C", "Compare", "Compare this run with what is saved under it.", footer=7),
    Action("run.stop", "I", "Stop", "Ask this run to finish its batch, save and end.", 4, True),
    Action("run.terminate", "T", "Terminate", "Send this run's processes SIGTERM.", writes=True),
    Action("run.kill", "K", "Kill", "Send this run's processes SIGKILL.", writes=True),
    *_panel_actions("run"),
)

ADJUST_METHODS = (
    "nothing (none)",
    "additive, logits - τ log p",
    "additive and multiplicative together (pair)",
    "multiplicative, logits / p^γ",
    "1-vs-1",
    "τ-normalisation, biases kept",
    "τ-normalisation without biases",
)
"""The methods of adjustment in their order; written down here, since numpy would be imported for their names."""

_ADJUST = (
    Action("adjust.back", "escape", "Back", "One layer out: full screen, this screen.", footer=2),
    Action("adjust.weaker", "left,h", "Weaker", "Strength a step of 0.05 down.", footer=3),
    Action("adjust.stronger", "right,l", "Stronger", "Strength a step of 0.05 up.", footer=4),
    Action("adjust.finer_down", "shift+left,H", "Fine down", "Strength a step of 0.01 down."),
    Action("adjust.finer_up", "shift+right,L", "Fine up", "Strength a step of 0.01 up."),
    Action("adjust.leap_down", "pagedown", "Leap down", "Strength 0.5 down."),
    Action("adjust.leap_up", "pageup", "Leap up", "Strength 0.5 up."),
    Action("adjust.lowest", "home", "None", "Strength 0."),
    Action("adjust.highest", "end", "Highest", "The highest strength that is searched."),
    *(
        Action(f"adjust.method_{n}", str(n), f"Method {n}", f"Adjust by: {name}.")
        for n, name in enumerate(ADJUST_METHODS, 1)
    ),
    Action("adjust.next_method", "m", "Method", "The next adjustment method.", footer=5),
    Action("adjust.previous_method", "M", "Method before", "The adjustment method before."),
    Action("adjust.more_gamma", "G", "More γ", "Of the pair: multiplicative strength 0.05 up."),
    Action("adjust.less_gamma", "g", "Less γ", "Of the pair: multiplicative strength 0.05 down."),
    Action(
        "adjust.chosen",
        "v",
        "Validated",
        "The strength that validation images choose (published without).",
        6,
    ),
    Action("adjust.published", "p", "Published", "The published strength."),
    Action("adjust.oracle", "o", "Oracle", "The best strength on test: an upper bound, not a result."),
    Action(
        "adjust.criterion", "t", "Criterion", "Maximise All, the harmonic mean of groups, or Tail.", footer=11
    ),
    Action("adjust.up", "up,k", "Up", "The setting above."),
    Action("adjust.down", "down,j", "Down", "The setting below."),
    Action("adjust.add", "a", "Add", "Keep this setting and try another beside it.", footer=8),
    Action("adjust.seeds", "S", "All seeds", "Adjust the other seeds of this setting alike."),
    Action("adjust.drop", "X,delete", "Drop", "Drop this setting from those side by side."),
    Action(
        "adjust.save", "s", "Save", "Save this setting under its run, of seeds adjusted alike each.", 7, True
    ),
    Action("adjust.compare", "C", "Compare", "Compare these runs and what is saved under them.", footer=9),
    Action("adjust.next_pane", "tab", "Next picture", "Go on to the next picture."),
    Action("adjust.previous_pane", "shift+tab", "Picture before", "Go back to the picture before."),
    Action("adjust.full_screen", "enter,f", "Full screen", "Give one picture the room of all, and back."),
    Action("adjust.copy", "c", "Copy", "Copy the settings side by side as Markdown, LaTeX or CSV."),
    Action("adjust.write", "w", "Write", "Write them to a file, or the screen as SVG.", 10, True),
)

_COMPARE = (
    Action(
        "compare.back", "escape", "Back", "One layer out: full screen, cursor, zoom, this screen.", footer=2
    ),
    Action(
        "compare.column_left", "left,h", "Column left", "The column at the left; with a cursor: move it back."
    ),
    Action(
        "compare.column_right",
        "right,l",
        "Column right",
        "The column at the right; with a cursor: move it on.",
    ),
    Action("compare.move_left", "shift+left,H", "Move left", "Put this column one further left."),
    Action("compare.move_right", "shift+right,L", "Move right", "Put this column one further right."),
    Action("compare.baseline", "b", "Baseline", "Hold the others against this column.", footer=5),
    Action("compare.add", "a", "Add", "Add a run, its seeds or a saved adjustment.", footer=6),
    Action("compare.drop", "X,delete", "Drop", "Take this column away.", footer=7),
    Action("compare.next_tab", "right_square_bracket", "Next page", "Curves, classes, settings.", footer=9),
    Action("compare.previous_tab", "left_square_bracket", "Page before", "The page before."),
    Action("compare.up", "up,k", "Up", "Scroll the settings or classes up."),
    Action("compare.down", "down,j", "Down", "Scroll the settings or classes down."),
    Action("compare.copy", "c", "Copy", "Copy the table as Markdown, LaTeX or CSV."),
    Action("compare.write", "w", "Write", "Write the tables to a file, or the screen as SVG.", 10, True),
    *(
        action
        for action in _panel_actions("compare")
        if action.id not in ("compare.cursor_left", "compare.cursor_right")
    ),
)

_QUEUE = (
    Action("queue.back", "escape,Q", "Close", "Close the queue, which goes on; q does so too."),
    Action("queue.up", "up,k", "Up", "The run above."),
    Action("queue.down", "down,j", "Down", "The run below."),
    Action("queue.later", "J", "Later", "Let a waiting run start later.", writes=True),
    Action("queue.sooner", "K", "Sooner", "Let a waiting run start sooner.", writes=True),
    Action(
        "queue.remove",
        "x,delete",
        "Take out",
        "Take out a run that waits (to the bin if never started) or is not heard of.",
        writes=True,
    ),
    Action(
        "queue.pause",
        "p",
        "Pause",
        "Start no more runs, or go on; starts the worker where it is gone.",
        writes=True,
    ),
    Action("queue.slots", "s", "Slots", "How many runs at once on which device.", writes=True),
)

_APP = (
    Action("app.help_keys", "question_mark,f1", "Help", "What can be done here, and by which key.", footer=1),
    Action(
        "app.command_palette", "ctrl+p", "Palette", "Every action, by its name or what it does.", footer=5
    ),
    Action(
        "app.suspend_process", "ctrl+z", "Suspend", "Go back to the shell for a while; fg comes back here."
    ),
    Action("app.leave", "q", "Quit", "Close the dashboard; runs go on.", footer=2),
)

ACTIONS: tuple[Action, ...] = (*_APP, *_RUNS, *_RUN, *_ADJUST, *_COMPARE, *_QUEUE)
"""Every action; what forms and dialogs do with enter, escape and tab, and q in dialogs, is not rebound."""


def actions_of(screen: str) -> tuple[Action, ...]:
    """The actions of a screen, those of the whole application not included."""
    return tuple(action for action in ACTIONS if action.screen == screen)


def bindings(screen: str) -> list[BindingType]:
    """Textual bindings of a screen's actions; a keymap rebinds them by id."""
    return [
        Binding(
            action.keys,
            action.method,
            action.title,
            show=False,
            id=action.id,
            priority=action.keys.startswith("ctrl+"),
        )
        for action in actions_of(screen)
    ]
