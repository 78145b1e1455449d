"""The normals and mask network: photos by rendering, network, training, export, measures."""
