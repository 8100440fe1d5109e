"""What ORM expressions lack: JSON as text, bound slots, pages as tables; one dialect per engine."""
