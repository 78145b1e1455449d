"""A photo and the head in it -> relief finer than the mesh: displacement in mm and normals, in the head's UV.

`ground` is the posed skin as a grid of texels, `evidence` what the photo says there. `form` reads slopes off the
normals network, of which `heights` makes heights, `lines` reads heights off the skin's brightness; `relief` joins them,
`pictures` and `files` write.
"""
