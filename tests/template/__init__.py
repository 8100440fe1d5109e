"""The template of a service: writing one, updating it, examining it, adding to it."""
