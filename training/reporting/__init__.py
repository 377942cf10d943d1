"""Reports in Markdown, JSON and pictures: one generator for whoever measures something."""
