"""Events: the relay, webhooks with a real receiver, functions, and the journal as a resource."""
