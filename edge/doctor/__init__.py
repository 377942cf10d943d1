"""`emotion-edge doctor`: what is wrong with this machine or this installation, and what to do about it.

Every group of checks runs in a process of its own: what hangs or crashes in one is a finding, and no more.
"""
