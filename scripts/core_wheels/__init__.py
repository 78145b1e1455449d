"""The core's packages for Blender's own Python: their lock file, and folders of wheels. Standard library only."""
