"""Running a site: its requests, logs, metrics, health, limits, and the commands that serve it."""
