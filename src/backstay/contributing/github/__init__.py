"""The adapter of GitHub: reads the facts for the engine, and performs its commands."""
