"""Training of N2FNet: data drawn afresh, torch model, losses, loop, export.

`draw`, `crop`, `render`, `corrupt` and `stream` need no torch; the evaluation uses them. Nothing is imported here, so
that it stays so.
"""
