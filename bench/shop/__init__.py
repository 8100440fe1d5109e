"""The Django app whose tables every contender reads."""
