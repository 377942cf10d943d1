"""Which program listens on a port, as far as Linux tells."""

from pathlib import Path

LISTEN = "0A"
"""TCP_LISTEN in /proc/net/tcp (see proc_net_tcp in the kernel's documentation)."""


def listener_of(port: int) -> str | None:
    """Name and process id, such as `python3 (process 4711)`; None if it is nobody's, or nobody we may see."""
    inodes = {inode for table in ("/proc/net/tcp", "/proc/net/tcp6") for inode in _listening(Path(table), port)}
    sockets = {f"socket:[{inode}]" for inode in inodes}
    if not sockets:
        return None
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            if any(str(fd.readlink()) in sockets for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text(errors='replace').strip()} (process {process.name})"
        except OSError:
            continue  # ended meanwhile, or another user's
    return None


def _listening(table: Path, port: int) -> list[str]:
    """Inodes of the sockets that listen on `port`."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [row[9] for row in rows if row[3] == LISTEN and int(row[1].rpartition(":")[2], 16) == port]
