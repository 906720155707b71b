"""Sets up a machine: the engine, its plugins, the tools and the repository's Python environment.

It runs before `.venv` exists, so it and everything that it imports is standard library only.
"""
