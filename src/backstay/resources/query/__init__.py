"""What a request asks: mask, filter, order and page, parsed into frozen values before any work."""
