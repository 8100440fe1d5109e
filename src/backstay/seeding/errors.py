"""The error that stops a seeding."""


class SeedError(Exception):
    """A seeding that cannot begin or continue; one line tells the developer why."""
