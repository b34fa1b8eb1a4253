"""Finding runs again: all that lie under a folder, newest first."""

from pathlib import Path

from stackgan.runs.folder import RunFolder


def runs(root: Path, stage: str = "*", data: str = "*", name: str = "*") -> list[RunFolder]:
    """Runs under root (logs/, or one sweep's folder) that have settings, the newest DONE first, then the unfinished."""
    found = [RunFolder(path.parent) for path in root.glob(f"{stage}/{data}/{name}/config.json")]
    return sorted(found, key=lambda run: (run.done.exists(), run.done.stat().st_mtime_ns if run.done.exists() else 0), reverse=True)
