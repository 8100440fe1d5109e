"""An app with tasks, for workers in processes of their own."""
