"""Code review: a bot publishes the issues of static analysis, a front end shows them."""
