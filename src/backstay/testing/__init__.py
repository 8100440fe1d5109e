"""Tools for the tests of services: real databases on both engines, and clients that check."""
