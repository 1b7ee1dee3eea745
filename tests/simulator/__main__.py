"""`make simulate`: many years of many practices, on every core, each from its seed."""

import os
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from pathlib import Path

import click

from tests.simulator.life import Life
from tests.simulator.machine import hurried
from tests.simulator.promises import Broken

YEARS_OF_A_LIFE = 4


def lived(
    seed: int, years: int, runs: int, whole: bool
) -> tuple[int, Counter[str], str]:
    """One practice's years: what happened, and the promise that broke or ''."""
    folder = Path(tempfile.mkdtemp(prefix=f"membill-life-{seed}-"))
    life = Life.begin(folder / "practice", seed)
    try:
        with nullcontext() if whole else hurried():
            life.live(years, runs)
    except Exception as error:
        last = "\n    ".join(life.story[-5:])
        kind = "" if isinstance(error, Broken) else f"{type(error).__name__}: "
        return seed, life.tally, f"{kind}{error}\n    {last}\n    in {folder}"
    shutil.rmtree(folder)
    return seed, life.tally, ""


@click.command()
@click.option("--years", default=1000, show_default=True, help="Practice-years in all.")
@click.option("--seed", "first", default=1, show_default=True, help="The first seed.")
@click.option(
    "--runs", default=3, show_default=True, help="Runs of the program in a year."
)
@click.option("--whole", is_flag=True, help="Without the shortcuts of `hurried`.")
@click.option("--minutes", type=float, help="Begin no further life after so long.")
@click.option(
    "--cores", default=os.cpu_count() or 1, show_default=True, help="Lives at a time."
)
def simulate(
    years: int, first: int, runs: int, whole: bool, minutes: float | None, cores: int
) -> None:
    """Let practices live for years and hold each night to the promises.

    Example: python -m tests.simulator --years 4 --seed 17
    """
    began = time.monotonic()
    lives = [
        (first + at, min(YEARS_OF_A_LIFE, years - at * YEARS_OF_A_LIFE))
        for at in range(-(-years // YEARS_OF_A_LIFE))
    ]
    click.echo(
        f"{years} years in {len(lives)} lives, seeds {first} to {first + len(lives) - 1},"
        f" about {runs} runs a year, {cores} at a time"
    )
    total: Counter[str] = Counter()
    failed = []
    with ProcessPoolExecutor(cores) as pool:
        waiting = {
            pool.submit(lived, seed, span, runs, whole): span for seed, span in lives
        }
        for done in as_completed(waiting):
            if done.cancelled():
                continue
            seed, tally, fault = done.result()
            total += tally + Counter({"years": 0 if fault else waiting[done]})
            click.echo(f"seed {seed}: {'BROKEN ' + fault if fault else 'kept'}")
            if fault:
                failed.append(seed)
                again = f"--years {waiting[done]} --seed {seed} --runs {runs}"
                again += " --whole" * whole
                click.echo(f"    again: .venv/bin/python -m tests.simulator {again}")
            if minutes and time.monotonic() - began > minutes * 60:
                for rest in waiting:
                    rest.cancel()
    click.echo(f"{time.monotonic() - began:.0f} seconds; " + _words(total))
    click.echo(f"broken: seeds {failed}" if failed else "every promise was kept")
    raise SystemExit(1 if failed else 0)


def _words(total: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(total.items()))


if __name__ == "__main__":
    simulate()
