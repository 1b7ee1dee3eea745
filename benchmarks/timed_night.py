"""One night with timers: `python -m benchmarks.timed_night RESULT SPAWNED bill FOLDER ...`.

SPAWNED is when the process was started, in seconds since 1970. The stages' seconds go
into the file RESULT; the exit code is the program's.
"""

import json
import sys
import time
from pathlib import Path

from benchmarks.stages import START_UP, Clock, attach
from pipeline.__main__ import cli


def main() -> None:
    """Run the command, note the stages."""
    result, spawned, *command = sys.argv[1:]
    clock = Clock()
    attach(clock)
    clock.spent[START_UP] = {
        "python and imports": [time.time() - float(spawned), time.process_time()]
    }
    try:
        cli.main(command, prog_name="membill")
    finally:
        Path(result).write_text(json.dumps(clock.spent), encoding="utf-8")


if __name__ == "__main__":
    main()
