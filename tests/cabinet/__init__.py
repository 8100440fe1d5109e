"""A cabinet of rooms, cases, seals, slips and keywords: every kind of column in every table."""
