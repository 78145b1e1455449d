"""The rooms of scripts/batch.py."""
