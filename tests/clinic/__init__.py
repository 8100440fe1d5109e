"""A clinic: models with encrypted columns, and resources over them."""
