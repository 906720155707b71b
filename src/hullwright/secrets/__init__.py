"""Secrets: an encrypted file per environment, as variables for a process or as a dotenv file."""

from hullwright.secrets.output import Decrypted, DecryptPlan, decrypt, plan_decrypt
from hullwright.secrets.read import environment
from hullwright.secrets.source import DEVELOPMENT, MissingSecretsError, Source, available, find

__all__ = [
    "DEVELOPMENT",
    "DecryptPlan",
    "Decrypted",
    "MissingSecretsError",
    "Source",
    "available",
    "decrypt",
    "environment",
    "find",
    "plan_decrypt",
]
