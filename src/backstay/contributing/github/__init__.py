"""The adapter: reads from GitHub what the engine decides on, and performs what it decides."""
