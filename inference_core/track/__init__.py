"""Video -> take: one performance of one or more people, frame after frame.

Two passes over the clip. `follow` finds and follows the faces; what it saw is kept as records on disk. From all of it
come steady crops (`framing`) and one identity (`identity`). `perform` then fits frame after frame (`motion`), and
`job` joins everything. Nothing is imported here: `options` stays quick to import.
"""
