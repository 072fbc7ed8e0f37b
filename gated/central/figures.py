"""What a monitor asks of the running server, in Prometheus' text format. Nothing in it is personal."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gated.central.repository import Repository

ONLINE_S = 120.0  # a gate refreshes at least every 30 s
EVERY_S = 5.0


@dataclass
class Figures:
    """What the server has done since it started. `heard` is when each gate asked last (monotonic)."""

    answers: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    strangers: int = 0
    announcements: int = 0
    signatures: int = 0
    heard: dict[str, float] = field(default_factory=dict)

    def told(self, repository: Repository, gates: int, at: float) -> str:
        """The text. Raises CentralError."""
        lines = ["# TYPE egate_central_answers_total counter"]
        lines += [
            f'egate_central_answers_total{{answer="{name}"}} {count}'
            for name, count in sorted(self.answers.items())
        ]
        online = sum(at - heard < ONLINE_S for heard in self.heard.values())
        for name, kind, value in (
            ("sent_bytes_total", "counter", self.bytes),
            ("strangers_total", "counter", self.strangers),
            ("announcements_total", "counter", self.announcements),
            ("signatures_total", "counter", self.signatures),
            ("gates_allowed", "gauge", gates),
            ("gates_online", "gauge", online),
        ):
            lines += [f"# TYPE egate_central_{name} {kind}", f"egate_central_{name} {value}"]
        lines += _published(repository)
        return "\n".join(lines) + "\n"


def _published(repository: Repository) -> list[str]:
    """Version and end of validity of every signed role, so that an alarm comes before gates refuse it."""
    versions: dict[str, int] = {}
    ends: dict[str, datetime] = {}
    for role in ("targets", *repository.roles()):
        targets = repository.targets(role)
        versions[role], ends[role] = targets.version, targets.expires
    for name, signed in (
        ("root", repository.root()),
        ("snapshot", repository.snapshot()),
        ("timestamp", repository.timestamp()),
    ):
        versions[name], ends[name] = signed.version, signed.expires
    lines = ["# TYPE egate_central_role_version gauge"]
    lines += [f'egate_central_role_version{{role="{role}"}} {value}' for role, value in versions.items()]
    lines.append("# TYPE egate_central_role_expires_seconds gauge")
    lines += [
        f'egate_central_role_expires_seconds{{role="{role}"}} {end.timestamp():.0f}'
        for role, end in ends.items()
    ]
    return lines


def write_text(path: Path, text: str) -> None:
    """Let whoever reads find the old text or the new one, whatever the umask is. Raises OSError."""
    made = path.with_name(f".{path.name}.new")
    made.write_text(text, encoding="ascii")
    made.chmod(0o644)
    made.replace(path)
