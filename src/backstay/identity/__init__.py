"""Who people, bots and operators are."""
