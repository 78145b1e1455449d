"""Training: data by rendering, networks, export. Never imported by the running product."""
