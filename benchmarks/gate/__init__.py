"""The working tree against another revision, measured in turn."""
