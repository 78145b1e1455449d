"""A take leaves without Blender: curves as CSV and JSON, the head's motion as BVH, the whole figure as glTF.

`figure`, `glb` and `projection` are the extension's `n2f_blender.export` byte for byte; a test compares them.
"""
