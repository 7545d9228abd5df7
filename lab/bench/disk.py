"""Bytes on disk after a run: records on the topics, files of a local database."""

from pathlib import Path


def topic_bytes(data: Path, topic: str) -> int:
    """What the broker's folder holds of a topic's records, without its indexes."""
    return sum(log.stat().st_size for folder in _partitions(data, topic) for log in folder.glob("*.log"))


def folder_bytes(folder: Path) -> int:
    """What the files below a folder take on the disk; sparse files count as what they take."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _partitions(data: Path, topic: str) -> list[Path]:
    """``a-0`` is of the topic ``a``, ``a-b-0`` is not."""
    return [folder for folder in data.glob(f"{topic}-*") if folder.name.rpartition("-")[0] == topic]
