"""Secrets: an encrypted file per environment, as variables for a process or as a file."""

from hullwright.secrets.explain import MissingKeyError
from hullwright.secrets.flatten import public_names
from hullwright.secrets.handing import run_with
from hullwright.secrets.output import STANDARD_OUTPUT, Decrypted, DecryptPlan, decrypt, plan_decrypt
from hullwright.secrets.read import environment
from hullwright.secrets.source import DEVELOPMENT, MissingSecretsError, Source, available, find

__all__ = [
    "DEVELOPMENT",
    "STANDARD_OUTPUT",
    "DecryptPlan",
    "Decrypted",
    "MissingKeyError",
    "MissingSecretsError",
    "Source",
    "available",
    "decrypt",
    "environment",
    "find",
    "plan_decrypt",
    "public_names",
    "run_with",
]
