"""What was measured of processes and of the stages of a night."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figures:
    """What a process took: wall and processor seconds, peak memory in MB."""

    wall: float
    used: float
    memory: float = 0.0


@dataclass
class Measured:
    """Medians of every run: whole processes, stages and floors by name."""

    practice: str
    runs: int
    night: Figures
    again: Figures | None
    script: Figures | None
    stages: dict[str, Figures]
    functions: dict[str, Figures]
    floors: dict[str, Figures] = field(default_factory=dict)
