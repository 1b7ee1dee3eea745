"""The clock of the machine: nothing else asks it what day it is."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def today(zone: str) -> date:
    """What day it is in the practice's time zone."""
    return datetime.now(ZoneInfo(zone)).date()


def now() -> datetime:
    """This moment, where practices are unless their settings say otherwise."""
    return datetime.now(ZoneInfo("Europe/London"))
