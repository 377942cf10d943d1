"""`python -m benchmarks.peers.programs.described_file IN OUT`: a BlazeFace file as MediaPipe Tasks takes it."""

import sys
from pathlib import Path

from edge.detectors.mediapipe import described

if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(described(Path(sys.argv[1]).read_bytes()))
