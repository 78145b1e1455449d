"""Parts of the build of the Open Head: each module does one step and knows nothing of the steps after it."""
