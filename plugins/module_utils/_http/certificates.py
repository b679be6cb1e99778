# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Which certificates are trusted, and what is wrong with one that is not."""

from __future__ import annotations

import functools
import os
import ssl
import typing as t

# What is missing is reported by libraries.py, before this file is used.
try:
    import certifi
except ImportError:
    certifi = t.cast(t.Any, None)

from .._base.errors import OptionError

# OpenSSL's X509_V_ERR codes (its manual: X509_STORE_CTX_get_error).
NOT_YET_VALID, EXPIRED = 9, 10
NO_ISSUER = (2, 18, 19, 20, 21)
ANOTHER_NAME = (62, 64)
# What RFC 5280 wants and OpenSSL lets pass unless it is strict, as Python makes it from 3.13 on.
STRICT = range(80, 94)
STRICT_OF_CA = (80, 81, 86, 89, 92)


def tls_context(validate_certs: bool, ca_path: str | None) -> ssl.SSLContext:
    """Return the context of these options.

    Raises:
        OptionError: No certificates can be read. It names the option, or the environment variable that was read instead.
    """
    if not validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return context_for(ca_path)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or error
        _check_key_log()
        raise OptionError(
            _source(ca_path),
            f"no certificates could be read from {ca_path} ({problem}).",
            "Name a PEM file or a folder.",
        ) from None


@functools.lru_cache(maxsize=8)
def context_for(ca_path: str | None) -> ssl.SSLContext:
    if not ca_path:
        # The system's store for companies' own roots, certifi's for Pythons built without one.
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context
    if os.path.isdir(ca_path):
        return ssl.create_default_context(capath=ca_path)
    return ssl.create_default_context(cafile=ca_path)


def _check_key_log() -> None:
    """Raises OptionError where Python cannot write the file that it logs the keys of connections to."""
    if log := os.environ.get("SSLKEYLOGFILE"):
        try:
            open(log, "ab").close()
        except OSError as error:
            raise OptionError(
                "SSLKEYLOGFILE", f"cannot be written ({error.strerror}).", "Name another file, or leave it out."
            ) from None


def tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """Return the error of TLS that is behind another one, if any."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def explain(error: ssl.SSLError, ca_path: str | None, url_option: str) -> tuple[str, str]:
    """Return what is wrong, and what to do about it.

    Args:
        error: Raised while connecting.
        ca_path: Where the trusted certificates were read from, if not the default ones.
        url_option: The option that says where the server is.
    """
    if not isinstance(error, ssl.SSLCertVerificationError):
        return str(error), f"Check {url_option}: there may be no TLS there, or only a version that is too old."
    code, reason = getattr(error, "verify_code", 0), getattr(error, "verify_message", "") or str(error)
    trusted = f"{_source(ca_path)} ({ca_path})" if ca_path else ""
    which = "the server's certificate"
    if code in NO_ISSUER and trusted:
        way_out = f"{trusted} has no certificate of the CA that signed it. Add it there; a folder takes openssl rehash as well."
    elif code in ANOTHER_NAME:
        way_out = f"Check {url_option}, or have the certificate made for this name."
    elif code in (NOT_YET_VALID, EXPIRED):
        which = "the server's certificate, or that of a CA above it"
        way_out = "Have it renewed, or set this machine's clock."
    elif code in STRICT:
        of_ca = f"the CA's certificate{f' in {trusted}' if trusted else ''}"
        which = of_ca if code in STRICT_OF_CA else f"the server's certificate, or {of_ca}"
        way_out = "Python 3.13 and newer take only what follows RFC 5280: have that certificate made again with what it lacks."
    else:
        way_out = "If the server, or a proxy on the way, uses a private CA, set ca_path to its certificate."
    return f"{which} was refused: {reason}", way_out


def _source(ca_path: str | None) -> str:
    """Return who names it: the option's value comes from the variable where nobody sets the option."""
    variable = os.environ.get("SSL_CERT_FILE")
    named = variable and os.path.expanduser(os.path.expandvars(variable)) == ca_path
    return "SSL_CERT_FILE" if named else "ca_path"
