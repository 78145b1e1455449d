"""What all commands share: where text goes, and how failures end."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType

import typer
from rich.console import Console

from inference_core.errors import BadInput, CoreError
from inference_core.formats.json_values import BadRequest

INTERRUPTED = 130
JOB_ID = "1"
"""A command has one job; the messages of --json carry it as the server's do."""

out = Console(highlight=False, soft_wrap=True)
"""Results: stdout."""
err = Console(stderr=True, highlight=False, soft_wrap=True)
"""Errors, warnings and progress: stderr."""


@dataclass(frozen=True)
class Telling:
    """What a command says while it works: a moving bar and sentences, the server's messages, or errors alone."""

    quiet: bool = False
    as_json: bool = False

    @property
    def in_words(self) -> bool:
        """Whether results become sentences."""
        return not (self.quiet or self.as_json)

    @property
    def shows_bar(self) -> bool:
        """Whether progress moves on the screen."""
        return self.in_words and err.is_terminal


@contextmanager
def explained() -> Iterator[None]:
    """Ends the program with one sentence, the remedy and the exit status instead of a traceback."""
    try:
        yield
    except BadRequest as error:
        show_error(BadInput(error.sentence, error.remedy))
        raise typer.Exit(BadInput.exit_status) from error
    except CoreError as error:
        show_error(error)
        raise typer.Exit(error.exit_status) from error
    except KeyboardInterrupt:
        err.print("Interrupted. What was finished before stays.", style="yellow")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # `n2f ... | head`
        sys.stderr.close()
        raise typer.Exit(1) from None


@contextmanager
def interruptible() -> Iterator[Event]:
    """The first Ctrl-C asks the job to stop where nothing is half done; the second does not wait for that.

    Python's own KeyboardInterrupt is lost where it strikes inside a callback from C, as decoders and runtimes have.
    """
    asked = Event()

    def ask(_: int, __: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    earlier = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, earlier)


def folder_of(out: str) -> Path:
    """The output folder.

    Raises:
        BadInput: for an empty name, which an unset variable of a script leaves.
    """
    if not out.strip():
        raise BadInput("The output folder has no name.", "Name one with --out; --out . is the current folder.")
    return Path(out)


def show_log(verbose: bool) -> None:
    """The log's tracebacks are for those who ask; everybody else reads one sentence."""
    logging.basicConfig(level=logging.INFO if verbose else logging.CRITICAL, format="%(message)s", force=True)


def show_error(error: CoreError) -> None:
    """The sentence, then what to do."""
    err.print(f"[bold red]Error:[/] {escape(error.sentence)}")
    if error.remedy:
        err.print(f"  {escape(error.remedy)}", style="dim")


def escape(text: str) -> str:
    """Text as it is: square brackets in file names are no styles."""
    from rich.markup import escape as escaped

    return escaped(text)


def print_json(value: object) -> None:
    """One line on stdout. ASCII only: a pipe's locale cannot damage it."""
    sys.stdout.write(json.dumps(value, separators=(",", ":")) + "\n")
    sys.stdout.flush()
