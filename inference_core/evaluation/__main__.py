"""`python -m inference_core.evaluation`: `n2f evaluate`."""

from __future__ import annotations

import sys

from inference_core.errors import CoreError
from inference_core.evaluation.needs import require


def main() -> None:
    """Tells in a sentence what is not installed, before anything that needs it is imported.

    Raises:
        SystemExit: with the error's exit status.
    """
    try:
        require()
    except CoreError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_status) from None
    from inference_core.evaluation.command import app

    app()


if __name__ == "__main__":
    main()
