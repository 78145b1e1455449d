"""A posed head before a photo -> dense maps: where every texel of its UV is, and which texel every pixel shows.

`sheet` lays values over the UV and reads a mesh back, `surface` makes the maps of one photo, `exr` and `files` write.
After PRNet's position map (Feng et al., ECCV 2018), whose dense alignment and shape are read off one picture.
"""
