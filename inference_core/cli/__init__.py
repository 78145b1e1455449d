"""The command line `n2f`. One module a command; heavy libraries are imported by the command that needs them."""

from inference_core.cli.app import main

__all__ = ["main"]
