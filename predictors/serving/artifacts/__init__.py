"""Model artifacts: manifest, digests, and the files that they vouch for."""
