"""The library: the heads and networks that are there, bundled or installed by the user. Standard library only here.

`formats.places` says where, `inventory` what a file is; `shelf` lists and finds, `adding` installs and removes,
`verify` checks.
"""
