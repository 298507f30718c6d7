"""Ed25519 signatures over a release's manifest: who holds the key vouches for the release. Needs `cryptography`."""

from __future__ import annotations

from pathlib import Path

from or_mv_anon.core.errors import UserError

SIGNATURE = "release.sig"  # beside the manifest: the 64 bytes of its signature


def sign(data: bytes, key: Path) -> bytes:
    """The signature of `data`.

    Args:
        data: to sign.
        key: an Ed25519 private key, PEM without a password, such as ``openssl genpkey -algorithm ed25519`` makes.

    Raises:
        UserError: it is none, or the package is missing.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise UserError("Signing needs the package cryptography: pip install 'or_mv_anon[release]'.") from error
    try:
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{key} cannot be used ({error}); expected an Ed25519 key (PEM, no password).") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise UserError(f"{key} holds another kind of key; expected Ed25519.")
    return private.sign(data)
