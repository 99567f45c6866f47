"""What does the feed's thread tell the screens?"""

from textual.message import Message

from wbtui.tui.snapshots import Snapshot


class FeedUpdate(Message):
    """The runs folder changed; a later one takes the place of one that still waits."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Whether an update that waits is outdated by this one."""
        return isinstance(message, FeedUpdate)


class FeedWord(Message):
    """Something that a person should know."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
