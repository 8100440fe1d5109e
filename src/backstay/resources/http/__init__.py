"""Resources over HTTP: Django REST Framework's view sets and routers, and OpenAPI."""
