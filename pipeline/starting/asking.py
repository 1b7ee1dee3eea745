"""The questions of `membill init`: from its options, or asked on a terminal."""

import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

import click

from pipeline.exports.templates import Filled
from pipeline.starting.beginning import (
    QUESTIONS,
    Question,
    WrongAnswer,
    ask_for_missing,
    first_rows_of,
    understood,
)


def first_rows(told: Mapping[str, str | None], today: date) -> dict[str, Filled]:
    """The rows of a new practice; a wrong option is a usage error."""
    answers: dict[str, Any] = {}
    for question in QUESTIONS:
        text = told[question.option]
        if text is not None:
            option = f"--{question.option.replace('_', '-')}"
            answers[question.option] = _judged(question, text, f"{option}: ")
    if asks():
        answers = ask_for_missing(answers, today, _ask)
    try:
        return first_rows_of(answers)
    except WrongAnswer as wrong:
        raise click.UsageError(str(wrong)) from None


def asks() -> bool:
    """Whether somebody sits there who can be asked."""
    return sys.stdin.isatty()


def _ask(question: Question, suggested: str | None) -> Any:
    """Ask until the answer can be used; Enter alone takes what is suggested."""
    return click.prompt(
        question.asked,
        default=suggested,
        show_default=bool(suggested),
        value_proc=lambda text: _judged(question, text),
        err=True,
    )


def _judged(question: Question, text: str, option: str = "") -> Any:
    try:
        return understood(question, text)
    except WrongAnswer as wrong:
        raise click.UsageError(f"{option}{wrong}") from None
