"""A bookshop: the proving ground of the platform's own tests, with every type of field."""
