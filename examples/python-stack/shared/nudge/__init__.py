"""What the services of Nudge share: settings, logs, signs of life, the clients of two APIs."""
