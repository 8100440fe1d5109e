"""Backstay: declare a resource once, serve it with the rights inside every SQL statement."""

__version__ = '0.1.0'
