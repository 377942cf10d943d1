"""Pictures on their way to those who watch."""
