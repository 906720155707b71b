"""One module per program: argument lists or client calls, and parsers. No decisions."""
