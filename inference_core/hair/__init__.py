"""A photo, its face and the head in it -> strands of hair on that head.

`matte` says where the photo shows hair, `strokes` which way it runs, `seat` where the head stands under the photo's
camera, `capsule` counts places about a head, `shell` finds how far the hair stands off it, `scalp` where hair grows,
`styles` is the family of haircuts, `growth` grows one, `sight` cuts off what the photo contradicts, `barber` joins
them and chooses, `colour` dyes, `files` writes.
"""
