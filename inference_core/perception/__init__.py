"""From a picture to what the regressor needs: photo, faces, crop, normal map. Heavy libraries load on first use."""
