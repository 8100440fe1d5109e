"""Side-by-side measurements of Backstay, of its peers and of the database's own ceiling."""
