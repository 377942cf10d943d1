"""Face detectors, each behind `edge.ports.FaceDetector`."""
