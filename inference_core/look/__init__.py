"""Photos and a fitted head -> what the head's surface looks like: a colour map in its UV, the light it was seen in.

`atlas` knows which place on the head each texel is, `skin_mask` where a photo shows bare skin, `shot` what one photo
says about every texel; `study` finds the light at the vertices, from a coarse shot, and takes it out of any texels;
`surface_fill` and `composition` make one map of seen, mirrored and continued skin, `eyes` and `mouth` paint what photos
hardly show, `painter` joins them, `files` writes.
"""
