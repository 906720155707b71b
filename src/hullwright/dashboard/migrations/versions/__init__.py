"""One script for each revision; once released, a script never changes."""
