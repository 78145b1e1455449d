"""Photo -> take: joins the rooms.

`pipeline` holds the steps, `job` runs them over many photos, `files` writes the folders. Nothing is imported here:
`options` stays quick to import.
"""
