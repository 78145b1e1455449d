"""How good a network for normals is: on renders, real photos and scans, and what it does to the heads that come out."""
