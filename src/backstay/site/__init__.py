"""The URLs and the WSGI application of a site, which are the same for every site."""
