"""`python -m inference_core.cli`, the same as `n2f`."""

from inference_core.cli.app import main

if __name__ == "__main__":
    main()
