"""Which colours do the screens have?"""

from textual.theme import Theme

GOOD, BAD, CAUTION = "#4fd08a", "#ff7b4a", "#f0e442"
"""Of words and figures under every theme: gained or at work, lost or failed, and what wants a look."""

ACCENT, SECONDARY = "#56b4e9", "#e69f00"
"""The two colours of the theme that widgets write with: what can be pressed or is chosen, and what was stopped."""

DARK = Theme(
    name="wbtui",
    primary="#3b82b8",
    secondary=SECONDARY,
    accent=ACCENT,
    warning=CAUTION,
    error="#d55e00",
    success="#009e73",
    foreground="#d8dee6",
    background="#12161c",
    surface="#191f27",
    panel="#242c37",
    dark=True,
    variables={"scrollbar-background": "#191f27"},  # of itself it would be black, a bar in every empty margin
)
"""Dark, after Okabe and Ito; what is forced where NO_COLOR makes everything grey."""
