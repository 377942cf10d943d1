"""Catching what native code writes to stderr."""

import os
import subprocess
import sys

from edge.native_log import native_stderr


def test_what_is_written_to_the_descriptor_is_kept_and_not_shown():
    code = (
        "import os\n"
        "from edge.native_log import native_stderr\n"
        "with native_stderr() as lines:\n"
        "    os.write(2, b'INFO: native\\n')\n"
        "    assert lines == []\n"
        "os.write(2, b'after\\n')\n"
        "print(lines)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "['INFO: native']\n"
    assert result.stderr == "after\n"


def test_an_error_inside_leaves_stderr_as_it_was():
    before = os.fstat(2)
    try:
        with native_stderr():
            raise ValueError("inside")
    except ValueError:
        pass
    after = os.fstat(2)
    assert (before.st_dev, before.st_ino) == (after.st_dev, after.st_ino)


def test_without_a_stderr_it_does_nothing():
    code = (
        "import os; os.close(2)\n"
        "from edge.native_log import native_stderr\n"
        "with native_stderr() as lines: pass\n"
        "print(lines)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
