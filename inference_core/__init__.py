"""The inference core: photo -> perception -> n2fnet -> fit -> take. Never imports bpy."""

__version__ = "0.1.0"
