"""A site with one service whose views do what operations have to cope with."""
