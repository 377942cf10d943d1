"""This machine: stages, the floor, the program."""
