"""Pages in the admin for resources, with the grants of the account that looks."""
