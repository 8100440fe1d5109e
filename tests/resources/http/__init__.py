"""Resources as clients see them: over HTTP, on both engines."""
