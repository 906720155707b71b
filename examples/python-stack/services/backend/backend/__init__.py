"""The backend of Nudge: keeps reminders in PostgreSQL, and says which are due."""
