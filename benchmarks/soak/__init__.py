"""The program for an hour, watched."""
