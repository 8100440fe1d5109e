"""Pages on which people look at what the bot published."""
