"""Reads the configuration again while the program runs: taken over as a whole, or refused as a whole."""

import logging
from collections.abc import Callable

from edge.config import Config
from edge.errors import EdgeError
from edge.live import LiveSettings
from edge.logs import event

log = logging.getLogger(__name__)


class Reloading:
    """Called whenever somebody asks for it; waits for the disk. One thread at a time.

    Attributes:
        note: what became of it the last time, as far as a person has to do something; empty: nothing.
    """

    def __init__(self, load: Callable[[], Config], settings: LiveSettings) -> None:
        """Nothing is read yet.

        Args:
            load: puts together and checks what the program was started with; raises an EdgeError.
            settings: what it goes by.
        """
        self._load = load
        self._settings = settings
        self.note = ""

    def __call__(self) -> None:
        """Take over what may be changed while the program runs, and say what needs a restart."""
        try:
            config = self._load()
        except EdgeError as error:
            self.note = f"the configuration was not reloaded: {error}"
            event(log, logging.ERROR, "config.refused", f"the settings stay as they were: {error}")
            return
        changed, restart = self._settings.reload(config)
        values = {key: str(value)[:200] for key, value in changed}
        told = ", ".join(f"{key} = {value}" for key, value in values.items()) or "nothing has changed"
        event(log, logging.INFO, "config.reloaded", f"the configuration was read again: {told}", **values)
        self.note = f"needs a restart: {', '.join(restart)}" if restart else ""
        if restart:
            event(log, logging.WARNING, "config.restart", self.note)
