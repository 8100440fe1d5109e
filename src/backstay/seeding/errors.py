"""What stops a seeding."""


class SeedError(Exception):
    """Why nothing, or nothing more, is written; for the developer, in one line."""
