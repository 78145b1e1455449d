"""The core as a child process: NDJSON on stdin and stdout. Start it with `python -I -m inference_core.server`."""
