"""From a resource and the shape of a query to one compiled statement, in small passes."""
