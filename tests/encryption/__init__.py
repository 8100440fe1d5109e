"""Encrypted columns: what is stored of them, who reads it, and how it ends."""
