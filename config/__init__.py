"""The site: it mounts any set of the services of this repository."""
