"""What the unit's protections keep the service from: tried within them, and without them, where it must be possible."""

import json
from dataclasses import dataclass
from typing import Any

from tests.service import PYTHON, STATE, UNIT, Machine, Service
from tests.stages.inside.sandbox_probe import DEVICES, HOMES, OPEN_FOLDERS, SETUID

PROBE = f"{PYTHON} -m tests.stages.inside.sandbox_probe"
WITHIN = f"{STATE}/probe.json"
WITHOUT = "/srv/probe.json"
DROP_IN = f"[Service]\nType=oneshot\nExecStart=\nExecStart={PROBE} {WITHIN}\nRestart=no\n"
FREE = {"done", "EINVAL", "EBADF", "ENODEV"}
"""What the kernel says of an attempt that nothing stands in the way of."""
NOT_HERE = {"EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "ENOSYS", "ENXIO"}
"""What it says of something that it does not have at all."""
_PREPARE = """
for folder in {folders}; do mkdir -p "$folder" && chmod 777 "$folder"; done
for home in {homes}; do
  mkdir -p "$home" && chmod 755 "$home"
  echo private >"$home/letter" && chmod 644 "$home/letter"
done
cp /usr/bin/id {setuid} && chmod 4755 {setuid}
{devices}
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it.

    Attributes:
        within: the unit's protections, as the unit's user.
        without: any, as root.
    """

    within: dict[str, Any]
    without: dict[str, Any]

    def wrong(self) -> list[str]:
        """What is not as it should be."""
        found = [f"{name}: {said}" for name, said in self.within["attempts"].items() if said in FREE]
        found += [f"{name}: {said}" for name, said in self.within["needed"].items() if said != "done"]
        return found

    def unproven(self) -> list[str]:
        """What was not possible without protections either, so that nothing is proven."""
        return [f"{name}: {said}" for name, said in self.without["attempts"].items() if said not in FREE]

    def text(self) -> str:
        """One line for people."""
        attempts, needed = self.within["attempts"], self.within["needed"]
        proven = [name for name, said in self.without["attempts"].items() if said in FREE]
        kinds: dict[str, int] = {}
        for said in attempts.values():
            kinds[said] = kinds.get(said, 0) + 1
        errors = ", ".join(f"{number} {name}" for name, number in sorted(kinds.items()))
        return (
            f"{len(attempts)} attempts refused ({errors}), {len(proven)} of them possible without the unit, "
            f"{len(needed)} needed things allowed; not possible here at all: {', '.join(self.unproven()) or 'none'}"
        )


def prepare(machine: Machine) -> None:
    """Open what owner and mode can open, so that only the unit's protections stand in the way."""
    nodes = [f"rm -f {path}; mknod --mode=666 {path} c {major} {minor}" for path, (major, minor) in DEVICES.items()]
    script = _PREPARE.format(
        folders=" ".join(OPEN_FOLDERS), homes=" ".join(HOMES), setuid=SETUID, devices="\n".join(nodes)
    )
    machine.run("sh", "-e", "-c", script)


def tried(service: Service) -> Tried:
    """Try it within the service's unit, in place of its program, and outside of it."""
    machine = service.machine
    with service.overridden(DROP_IN):
        begun = machine.run("systemctl", "restart", UNIT, check=False, timeout_s=200)
        assert begun.returncode == 0, service.journal()
        within = json.loads(machine.text("cat", WITHIN))
    machine.run(*PROBE.split(), WITHOUT, timeout_s=120)
    return Tried(within, json.loads(machine.text("cat", WITHOUT)))
