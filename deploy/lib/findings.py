"""Reads what `emotion-edge doctor --json` says and prints what a new installation should know; 1 if it cannot be used.

Configuration, network and the service's state are left out: they are tried afterwards, by starting it.
"""

import json
import sys

RELEASE = ("python", "environment", "packages", "runtime", "models", "doctor")
"""Areas of the doctor that tell of the release itself: a fault there, and it is not switched to."""
AFTERWARDS = ("configuration", "network", "service")


def main() -> int:
    try:
        findings = json.load(sys.stdin)["findings"]
    except (ValueError, KeyError):
        print("    The doctor gave no answer; ask it later: emotion-edge doctor")
        return 0
    told = [each for each in findings if each["severity"] in ("warning", "fault") and each["area"] not in AFTERWARDS]
    for each in told:
        print(f"    {each['code']}: {each['title']}. Found: {each['found']}. {each['fix']}")
    return int(any(each["severity"] == "fault" and each["area"] in RELEASE for each in told))


if __name__ == "__main__":
    sys.exit(main())
