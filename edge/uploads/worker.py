"""The child process: `python -m edge.uploads.worker LIMITS PARENT`. Takes requests on stdin, answers on stdout.

It is expected to be killed at any time, and may crash: nobody but the client whose file it was gets to know.
"""

import os
import sys
from typing import BinaryIO

import msgspec

from edge.uploads.confinement import Limits, allow_cpu, confine

STDIN, STDOUT, STDERR = 0, 1, 2


def main(limits: Limits, parent: int) -> None:
    """Answer requests until there will be no more."""
    confine(limits, parent)
    requests, answers = _channels()
    # only now: whatever they start is confined
    from edge.uploads import protocol  # noqa: PLC0415
    from edge.uploads.films import analyse_film  # noqa: PLC0415
    from edge.uploads.stills import Stills  # noqa: PLC0415

    stills = Stills()
    while (taken := protocol.take(requests)) is not None:
        request, payload = taken
        allow_cpu(limits.cpu_s)
        if isinstance(request, protocol.AnalysePicture):
            protocol.answer(answers, *stills.analyse(request, payload))
        else:
            protocol.answer(answers, analyse_film(request, lambda progress: protocol.answer(answers, progress)))
        allow_cpu(0)


def _channels() -> tuple[BinaryIO, BinaryIO]:
    """Where requests come from and answers go; whatever else is printed goes to stderr."""
    requests = os.fdopen(os.dup(STDIN), "rb")
    answers = os.fdopen(os.dup(STDOUT), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN)
    os.close(nothing)
    os.dup2(STDERR, STDOUT)
    return requests, answers


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Limits), int(sys.argv[2]))
