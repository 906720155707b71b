"""Golden tests start no process and open no connection; whatever tries fails its test."""

from guarding import guard

__all__ = ["guard"]
