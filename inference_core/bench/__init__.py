"""Measuring speed: the photo chain by stages, the stream, a fresh process, the networks and their variants."""
