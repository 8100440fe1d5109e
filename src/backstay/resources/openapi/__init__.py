"""Resources as OpenAPI 3.1 documents describe them; nothing here answers a request."""
