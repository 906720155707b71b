"""The bot of Nudge: reads what people write to it, and has it kept."""
