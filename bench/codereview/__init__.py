"""Code review at a million links, beside the same endpoints in plain Django REST Framework."""
