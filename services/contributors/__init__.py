"""Contributors: who has signed which version of the contributor agreement."""
