"""`make deb`: the program, its environment and its models as one Debian package, for a suite and an architecture."""
