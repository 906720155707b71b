"""Typed configuration: what a repository says of itself, validated once."""
