"""Records to text, Markdown and JSON; nothing here decides or prints."""
