"""Declaring resources: what a model looks like from outside."""
