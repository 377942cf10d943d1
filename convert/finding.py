"""What a check says: one line for people, one object for machines."""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at.

    Attributes:
        what: was looked at.
        passed: whether it is as it should be.
        found: what is there.
        expected: what should be.
    """

    what: str
    passed: bool
    found: str
    expected: str

    def line(self) -> str:
        """The finding for people."""
        return f"{'passed' if self.passed else 'FAILED'}  {self.text()}"

    def text(self) -> str:
        """The line without the verdict."""
        return f"{self.what}: found {self.found}; expected {self.expected}"


def equal(what: str, found: object, expected: object, reason: str = "") -> Finding:
    """A finding that passes if both are the same; `reason` is said with what was expected."""
    return Finding(what, found == expected, str(found), f"{expected}{reason}")


def close(what: str, found: float, expected: float, tolerance: float, reason: str = "") -> Finding:
    """A finding that passes if both differ by no more than `tolerance`."""
    return Finding(what, abs(found - expected) <= tolerance, f"{found:.6g}", f"{expected:.6g}{reason}")
