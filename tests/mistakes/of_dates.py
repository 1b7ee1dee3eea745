"""Mistakes with dates: 76 to 91."""

from datetime import date, datetime
from pathlib import Path

from openpyxl.utils.datetime import CALENDAR_MAC_1904

from mistakes.mistake import Mistake, member, workbook


def _starting(
    number: int, *starts: object, **cells: object
) -> dict[str, tuple[dict[str, object], ...]]:
    return {
        "patients": tuple(
            member(f"M{number}{'ABCDEF'[n]}", start_date=start, **cells)  # type: ignore[arg-type]
            for n, start in enumerate(starts)
        )
    }


def _swapped(folder: Path) -> None:
    """What a computer set to month-first makes of a column of days."""
    days = [date(2026, 1, 2), date(2026, 5, 2), date(2026, 7, 2)]
    with workbook(folder) as (_, sheet):
        sheet.delete_rows(2, 2)
        for number, start in enumerate(
            [*days, "31/01/2026", "15/02/2026", "28/02/2026"]
        ):
            sheet.append(list(member(f"P{number}", start_date=start).values()))


def _from_1904(folder: Path) -> None:
    with workbook(folder) as (book, _):
        book.epoch = CALENDAR_MAC_1904


MISTAKES = (
    Mistake(
        76, "A date typed as text, the day after the 12th", "It is read, and that is said.",
        (
            "Check | date-as-text | patients.xlsx: Patients!G{r} | 28/02/2026 is read as 28 February 2026 | a date, such as 04/03/2026 in a date cell or 2026-03-04 | if that is right, write it as a date cell or as 2026-02-28",
        ), rows=_starting(76, "28/02/2026"),
    ),
    Mistake(
        77, "A date typed as text that could be turned round",
        "It is read day first, and shown with the month in words.",
        (
            "Check | date-day-first | patients.xlsx: Patients!G{r} | 01/02/2026 is read as 1 February 2026 | a date, such as 04/03/2026 in a date cell or 2026-03-04 | if that is right, write it as a date cell or as 2026-02-01",
        ), rows=_starting(77, "01/02/2026"),
    ),
    Mistake(
        78, "Days and months swapped by a computer set to another country",
        "A column of real dates up to the 12th and text beyond it stops the night.",
        (
            "Stops the night | days-and-months-swapped | patients.xlsx: Patients!Start date | every real date has a day up to 12 and every later day is text: the file was saved on a computer that puts the month first | dates with day and month in their places | bring back the copy from before that, or retype the column",
            "Check | date-as-text | patients.xlsx: Patients!G5 | 31/01/2026 is read as 31 January 2026 | a date, such as 04/03/2026 in a date cell or 2026-03-04 | if that is right, write it as a date cell or as 2026-01-31",
            "Check | date-as-text | patients.xlsx: Patients!G6 | 15/02/2026 is read as 15 February 2026 | a date, such as 04/03/2026 in a date cell or 2026-03-04 | if that is right, write it as a date cell or as 2026-02-15",
            "Check | date-as-text | patients.xlsx: Patients!G7 | 28/02/2026 is read as 28 February 2026 | a date, such as 04/03/2026 in a date cell or 2026-03-04 | if that is right, write it as a date cell or as 2026-02-28",
        ), _swapped,
    ),
    Mistake(
        79, "A date as 2026-02-01", "It is read without a word.", (),
        rows=_starting(79, "2026-02-01"),
    ),
    Mistake(
        80, "Dates as 4.3.26, 4-Mar-26 or 4 March 2026",
        "They are read, and that is said; a birth with a year of two digits is not.",
        (
            "Check | date-short-year | patients.xlsx: Patients!L{r2} | 4.3.26 has a year of two digits, so it is left blank | a date, such as 04/03/2026 in a date cell or 2026-03-04 | write all four digits of the year",
            "Check | date-day-first | patients.xlsx: Patients!G{r} | 1.3.26 is read as 1 March 2026 | a date, such as 04/03/2026 in a date cell or 2026-03-04 | if that is right, write it as a date cell or as 2026-03-01",
            "Check | date-as-text | patients.xlsx: Patients!G{r1} | 1-Mar-26 is read as 1 March 2026 | a date, such as 04/03/2026 in a date cell or 2026-03-04 | if that is right, write it as a date cell or as 2026-03-01",
            "Check | date-as-text | patients.xlsx: Patients!G{r2} | 1 March 2026 is a text and is read as that day | a date, such as 04/03/2026 in a date cell or 2026-03-04 | if that is right, write it as a date cell or as 2026-03-01",
        ),
        rows={
            "patients": (
                member("M80A", start_date="1.3.26"), member("M80B", start_date="1-Mar-26"),
                member("M80C", start_date="1 March 2026", date_of_birth="4.3.26"),
            )
        },
    ),
    Mistake(
        81, "The bare day number of a date", "It is read, and that is said.",
        (
            "Check | date-serial | patients.xlsx: Patients!G{r} | 46081 is read as 28 February 2026 | a date, such as 04/03/2026 in a date cell or 2026-03-04 | if that is right, write it as a date cell or as 2026-02-28",
        ), rows=_starting(81, 46081),
    ),
    Mistake(
        82, "A day that does not exist", "The row is held.",
        (
            "Not billed | date-not-real | patients.xlsx: Patients!G{r} | 31/02/2026 is not a date | a date, such as 04/03/2026 in a date cell or 2026-03-04 | write it as a date cell or as 2024-01-31",
            "Not billed | date-not-real | patients.xlsx: Patients!G{r1} | 31/04/2026 is not a date | a date, such as 04/03/2026 in a date cell or 2026-03-04 | write it as a date cell or as 2024-01-31",
        ), rows=_starting(82, "31/02/2026", "31/04/2026"),
    ),
    Mistake(
        83, "The month first", "The row is held; the day that may be meant is named.",
        (
            "Not billed | date-month-first | patients.xlsx: Patients!G{r} | 02/25/2026 has the month first if it means 25 February 2026 | a date, such as 04/03/2026 in a date cell or 2026-03-04 | write 25/02/2026 or 2026-02-25 if it does",
        ), rows=_starting(83, "02/25/2026"),
    ),
    Mistake(
        84, "A time of day with the date",
        "Midnight is passed over; another time is left out, and that is said.",
        (
            "Check | date-with-time | patients.xlsx: Patients!G{r} | 1 February 2026 09:30 is read as 1 February 2026, without the time of day | a date, such as 04/03/2026 in a date cell or 2026-03-04 | leave the time out if the day is right",
        ), rows=_starting(84, datetime(2026, 2, 1, 9, 30), datetime(2026, 2, 1)),
    ),
    Mistake(
        85, "The end before the start", "The row is held.",
        (
            "Not billed | ends-before-it-starts | patients.xlsx: Patients!H{r} | the End date, 1 January 2026, is before the Start date, 1 February 2026 | a last covered day on or after the Start date | correct the End date, or clear it while the membership goes on",
        ), rows=_starting(85, date(2026, 2, 1), end_date=date(2026, 1, 1)),
    ),
    Mistake(
        86, "A start years ahead, or long ago",
        "It is said. Nothing before the practice's Bill from is ever billed.",
        (
            "Check | start-far-off | patients.xlsx: Patients!G{r} | the Start date, 1 January 2028, is more than a year ahead | the first day of the membership | check the year",
            "Check | start-far-off | patients.xlsx: Patients!G{r1} | the Start date, 1 January 1950, is over 50 years ago | the first day of the membership | check the year",
        ), rows=_starting(86, date(2028, 1, 1), date(1950, 1, 1), bill_from=date(2026, 3, 1)),
    ),
    Mistake(
        87, "A birth to come, or over 120 years ago", "It is said; the bill goes out.",
        (
            "Check | birth-date | patients.xlsx: Patients!L{r} | the Date of birth lies ahead | a date of birth, and a payer for a child | check the date",
            "Check | birth-date | patients.xlsx: Patients!L{r1} | the Date of birth is over 120 years ago | a date of birth, and a payer for a child | check the date",
        ),
        rows={
            "patients": (
                member("M87A", date_of_birth=date(2027, 1, 1)),
                member("M87B", date_of_birth=date(1905, 1, 1)),
            )
        },
    ),
    Mistake(
        88, "An old start, never billed, and Bill from blank",
        "Periods beyond Catch-up days hold the membership until Bill from is typed.",
        (
            "Not billed | too-old | patients.xlsx: Patients!I{r} | the period from 1 January 2026 is not billed and lies more than Catch-up days back | the first day to be billed | write 01/01/2026 in Bill from to bill from there on, or a later day to let earlier periods go",
        ), rows=_starting(88, date(2026, 1, 1)),
    ),
    Mistake(
        89, "A word in End date",
        "ongoing and n/a are blank; TBC holds the row.",
        (
            "Fixed for you | date-open | patients.xlsx: Patients!H{r} | ongoing is read as blank | a date, such as 04/03/2026 in a date cell or 2026-03-04 | nothing to do",
            "Fixed for you | blank-word | patients.xlsx: Patients!H{r1} | n/a is read as blank | a date, such as 04/03/2026 in a date cell or 2026-03-04 | nothing to do",
            "Not billed | not-date | patients.xlsx: Patients!H{r2} | TBC is not a date | a date, such as 04/03/2026 in a date cell or 2026-03-04 | write it as a date cell or as 2024-01-31",
        ),
        rows={
            "patients": (
                member("M89A", end_date="ongoing"), member("M89B", end_date="n/a"),
                member("M89C", end_date="TBC"),
            )
        },
    ),
    Mistake(
        90, "The workbook counts days from 1904", "Its dates are right; that is said.",
        (
            "Check | date-1904 | patients.xlsx | the workbook counts days from 1904, as old Excel for Mac did; its dates were read rightly, but a date that shows as a plain number would be four years out |  | copy the sheets into a new workbook and check their dates",
        ), _from_1904,
    ),
    Mistake(
        91, "A membership of the 29th to the 31st",
        "It is billed on the last day of shorter months, and on its own day again.",
        (), rows=_starting(91, date(2026, 1, 31)),
    ),
)  # fmt: skip
