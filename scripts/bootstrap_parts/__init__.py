"""What scripts/bootstrap.py is made of: environments, system libraries, demo and checks. Standard library only."""
