"""The commands of scripts/bootstrap.py."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from . import layout
from .checks import Report, check_style_and_types, run_tests
from .console import say, seconds
from .demo import run_demo
from .errors import BootstrapError, StepFailed
from .formats_link import link_formats
from .interpreters import find_python
from .system_libraries import ensure_for_bpy

INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status for the shell."""
    options, extra = _parser().parse_known_args(list(arguments))
    if extra and options.command != "test":
        _parser().error(f"unknown argument: {extra[0]}")
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        del os.environ[name]  # PYTHONPATH and PYTHONHOME would mix other packages into the environments
    started = time.monotonic()
    link_formats()
    try:
        status = _run(options, [argument for argument in extra if argument != "--"])
    except StepFailed as failure:
        say(f"\n{failure.sentence}")
        return failure.status if 0 < failure.status < 256 else 1
    except BootstrapError as failure:
        say(f"\n{failure.sentence}")
        return failure.exit_status
    except KeyboardInterrupt:
        say("\nInterrupted; the same command goes on from here.")
        return INTERRUPTED
    if options.command != "test":
        say(f"Done in {seconds(time.monotonic() - started)}.")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set up on a fresh machine, then show or check.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="a photo becomes a rigged head, in out/demo/")
    test = commands.add_parser("test", help="every check and test; further arguments go to pytest")
    test.add_argument("--train", action="store_true", help="install torch and run the tests that train too")
    core = commands.add_parser("core", help="only the core, for the Blender extension")
    core.add_argument("--into", type=Path, metavar="FOLDER", help="the environment to make; default: .venv here")
    return parser


def _run(options: argparse.Namespace, extra: Sequence[str]) -> int:
    if options.command == "core":
        environment = layout.core_environment(options.into)
        with one_at_a_time(layout.ROOT):
            environment.prepare(layout.core_installs())
        say(f"The core is ready, and runs from {layout.ROOT}: keep that folder. Its Python, should the extension")
        say(f"not find it by itself: {environment.python}")
        return 0
    if options.command == "demo":
        with one_at_a_time(layout.ROOT):
            layout.MAIN.prepare(layout.demo_installs())
            ensure_for_bpy(layout.MAIN.site_packages)
        run_demo(layout.ROOT, layout.MAIN, layout.DEMO_FOLDER)
        return 0
    return _test(extra, train=options.train)


def _test(extra: Sequence[str], *, train: bool) -> int:
    report = Report()
    with one_at_a_time(layout.ROOT):
        _prepare_for_tests(report, train=train)
    if layout.TORCH.unmet(layout.MAIN.site_packages):
        report.left_out.append("the tests that train, for torch is not installed: add --train")
    check_style_and_types(layout.ROOT, layout.MAIN, report)
    run_tests(layout.ROOT, layout.MAIN, extra, report)
    report.show()
    return report.status


def _prepare_for_tests(report: Report, *, train: bool) -> None:
    """The environments that can be here, with what Blender's modules need of the system."""
    due = {layout.MAIN: layout.installs_for_tests(train=train)}
    for further in layout.FURTHER:
        if find_python(further.environment.version) is None:
            version = "{}.{}".format(*further.environment.version)
            report.left_out.append(f"{further.label}, for there is no Python {version} here")
            continue
        due[further.environment] = list(further.installs)
    with ThreadPoolExecutor(max_workers=len(due)) as pool:  # one waits for the network while another unpacks
        for environment, prepared in [(e, pool.submit(e.prepare, installs)) for e, installs in due.items()]:
            prepared.result()
            ensure_for_bpy(environment.site_packages)


@contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Two runs that install in one folder would do so into each other: the second waits for the first.

    The commands of a run inherit the lock, so that a pip which outlives a killed run is waited for too.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(root, os.O_RDONLY)
    os.set_inheritable(handle, True)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another run is at work in this folder; waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
