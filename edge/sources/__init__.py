"""Where frames come from: every adapter is an `edge.ports.FrameSource`, and one URI names any of them."""

from edge.sources.choosing import Choice, choose
from edge.sources.opening import check, open_source

__all__ = ["Choice", "check", "choose", "open_source"]
