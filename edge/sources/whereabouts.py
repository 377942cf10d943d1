"""Finds a V4L2 camera again that was plugged in anew and now has another number.

The kernel gives a returning camera its old number only if nobody holds that any more. So what is known of a camera
while it works is kept, and looked for when its node is gone, or is another camera's. Who names a camera by its link in
`/dev/v4l/by-id` needs none of this: udev keeps that right.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LINKS: Final = "v4l/by-id"


@dataclass(frozen=True, slots=True)
class Card:
    """What a camera's node can be known by.

    Attributes:
        link: its name in `/dev/v4l/by-id`, which holds maker, model and serial number; empty where udev gave it none.
        name: of the card, as its driver tells.
        index: which of the card's nodes it is: 0 for pictures, 1 often for their metadata.
    """

    link: str
    name: str
    index: str


class Whereabouts:
    """Remembers the cameras that have worked, by the node they were asked for.

    Args:
        dev: where nodes are.
        sys: where the kernel describes them.
    """

    def __init__(self, dev: Path = Path("/dev"), sys: Path = Path("/sys/class/video4linux")) -> None:
        self._dev = dev
        self._sys = sys
        self._known: dict[Path, tuple[Card, frozenset[Path]]] = {}

    def worked(self, asked: Path, node: Path) -> None:
        """The camera asked for as `asked` has delivered a picture from `node`."""
        if asked.is_symlink():
            return
        cards = self._cards()
        card = cards.get(node)
        if card is not None:
            twins = frozenset(other for other, theirs in cards.items() if theirs == card and other != node)
            self._known[asked] = card, twins

    def find(self, asked: Path) -> Path:
        """Where that camera is now.

        Returns:
            `asked` itself, unless the camera that was there has gone and one like it, and one only, has come elsewhere.
        """
        if asked not in self._known:
            return asked
        card, twins = self._known[asked]
        cards = self._cards()
        if cards.get(asked) == card:
            return asked
        # a twin that was there all the time is another camera
        found = [node for node, theirs in cards.items() if theirs == card and node not in twins]
        return found[0] if len(found) == 1 else asked

    def _cards(self) -> dict[Path, Card]:
        """All nodes that are there, with what they are known by."""
        links: dict[Path, str] = {}
        for link in (self._dev / _LINKS).glob("*"):
            links[link.resolve()] = link.name
        cards = {}
        for entry in self._sys.glob("video*"):
            node = self._dev / entry.name
            try:
                name, index = ((entry / part).read_text().strip() for part in ("name", "index"))
            except OSError:  # it went in this moment
                continue
            if node.exists():
                cards[node] = Card(links.get(node.resolve(), ""), name, index)
        return cards
