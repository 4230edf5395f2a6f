"""Every number of DO-IRP in one table: its name, its meaning and where it is defined.

Names are those of DO-IRP v3.0, without their prefix OC_ or RC_; RFC 3652 says HANDLE for ID, VALUE
for ELEMENT and NA for PREFIX. Numbers are the same in both.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Self

RFC = "RFC 3652, section "
DOIRP = "DO-IRP v3.0 (numbers as in the dissector of Wireshark, which cites it)"
HANDLE_NET = "Handle.Net 9, "


class Code(IntEnum):
    """A number with its meaning and its source."""

    meaning: str
    source: str

    def __new__(cls, value: int, meaning: str = "", source: str = "") -> Self:
        """Return the member; the texts ride along."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        member.source = source
        return member


class OpCode(Code):
    """What a message asks for; an answer keeps that of its request."""

    RESERVED = 0, "none", RFC + "2.2.2.1"
    RESOLUTION = 1, "resolve an identifier", RFC + "2.2.2.1"
    GET_SITEINFO = 2, "give the service information of the server", RFC + "2.2.2.1"
    CREATE_ID = 100, "create an identifier", RFC + "2.2.2.1"
    DELETE_ID = 101, "delete an identifier", RFC + "2.2.2.1"
    ADD_ELEMENT = 102, "add values", RFC + "2.2.2.1"
    REMOVE_ELEMENT = 103, "remove values", RFC + "2.2.2.1"
    MODIFY_ELEMENT = 104, "replace values", RFC + "2.2.2.1"
    LIST_IDS = 105, "list identifiers under a prefix", RFC + "2.2.2.1"
    LIST_DERIVED_PREFIXES = 106, "list prefixes under a prefix", RFC + "2.2.2.1"
    CHALLENGE_RESPONSE = 200, "answer a challenge", RFC + "2.2.2.1"
    VERIFY_RESPONSE = 201, "have an answer to a challenge verified", RFC + "2.2.2.1"
    HOME_PREFIX = 300, "take a prefix into service", DOIRP
    UNHOME_PREFIX = 301, "take a prefix out of service", DOIRP
    LIST_HOMED_PREFIXES = 302, "list the prefixes in service", DOIRP
    SESSION_SETUP = 400, "set up a session", RFC + "2.2.2.1"
    SESSION_TERMINATE = 401, "end a session", RFC + "2.2.2.1"
    SESSION_EXCHANGEKEY = 402, "exchange a session key", RFC + "2.2.2.1"


class ResponseCode(Code):
    """How a request ended; 0 marks a request."""

    RESERVED = 0, "this is a request", RFC + "2.2.2.2"
    SUCCESS = 1, "done", RFC + "2.2.2.2"
    ERROR = 2, "general error", RFC + "2.2.2.2"
    SERVER_BUSY = 3, "the server is too busy to answer", RFC + "2.2.2.2"
    PROTOCOL_ERROR = 4, "the message is corrupt or unknown", RFC + "2.2.2.2"
    OPERATION_DENIED = 5, "the operation is not offered", RFC + "2.2.2.2"
    RECUR_LIMIT_EXCEEDED = 6, "the request was passed on too often", RFC + "2.2.2.2"
    SERVER_BACKUP = 7, "the server is read-only for now", DOIRP
    ID_NOT_FOUND = 100, "no such identifier", RFC + "2.2.2.2"
    ID_ALREADY_EXIST = 101, "the identifier exists", RFC + "2.2.2.2"
    INVALID_ID = 102, "the identifier's syntax is wrong", RFC + "2.2.2.2"
    ELEMENT_NOT_FOUND = 200, "no such value", RFC + "2.2.2.2"
    ELEMENT_ALREADY_EXIST = 201, "the value exists", RFC + "2.2.2.2"
    ELEMENT_INVALID = 202, "the value is wrong", RFC + "2.2.2.2"
    EXPIRED_SITE_INFO = 300, "the client's service information is out of date", RFC + "2.2.2.2"
    SERVER_NOT_RESP = 301, "the server is not responsible", RFC + "2.2.2.2"
    SERVICE_REFERRAL = 302, "another service is responsible", RFC + "2.2.2.2"
    PREFIX_REFERRAL = 303, "another service holds the prefixes below this one", RFC + "2.2.2.2"
    INVALID_ADMIN = 400, "the administrator may not do this", RFC + "2.2.2.2"
    ACCESS_DENIED = 401, "no access", RFC + "2.2.2.2"
    AUTHEN_NEEDED = 402, "authentication is needed", RFC + "2.2.2.2"
    AUTHEN_FAILED = 403, "authentication failed", RFC + "2.2.2.2"
    INVALID_CREDENTIAL = 404, "the credential is invalid", RFC + "2.2.2.2"
    AUTHEN_TIMEOUT = 405, "authentication took too long", RFC + "2.2.2.2"
    UNABLE_TO_AUTHEN = 406, "the server cannot authenticate", RFC + "2.2.2.2"
    SESSION_TIMEOUT = 500, "the session is over", RFC + "2.2.2.2"
    SESSION_FAILED = 501, "no session can be set up", RFC + "2.2.2.2"
    SESSION_KEY_INVALID = 502, "the session key is invalid", DOIRP
    SESSION_NO_SUPPORT = 503, "sessions are not offered", RFC + "2.2.2.2"
    SESSION_MSG_REJECTED = 505, "a message of the session was refused", DOIRP
    TRYING = 900, "under way", RFC + "2.2.2.2"
    FORWARDED = 901, "passed on to another server", RFC + "2.2.2.2"
    QUEUED = 902, "queued", RFC + "2.2.2.2"


class OpFlag(IntFlag):
    """Options of an operation (RFC 3652, section 2.2.2.3; the last three DO-IRP v3.0)."""

    AT = 0x80000000
    """Authoritative: ask a primary server; the answer is one's."""
    CT = 0x40000000
    """Certified: sign the answer; the answer is signed."""
    ENC = 0x20000000
    """Encrypt the answer with the session key."""
    REC = 0x10000000
    """Recursive: ask other servers for me."""
    CA = 0x08000000
    """Cache authentication: a caching server shall verify."""
    CN = 0x04000000
    """Continuous: more messages of the same request or answer follow."""
    KC = 0x02000000
    """Keep the connection open."""
    PO = 0x01000000
    """Public only: values that everybody may read."""
    RD = 0x00800000
    """Request digest: the body of the answer begins with the digest of the request."""
    OWE = 0x00400000
    """Overwrite what exists."""
    MNS = 0x00200000
    """Mint a new suffix."""
    DNR = 0x00100000
    """Do not refer me to another service."""


class EnvelopeFlag(IntFlag):
    """Flags of an envelope, the top three bits of its third octet (RFC 3652, section 2.2.1.2)."""

    COMPRESSED = 0x80
    ENCRYPTED = 0x40
    TRUNCATED = 0x20


class Digest(Code):
    """Digest of a request (RFC 3652, section 2.2.3), by the name ``hashlib`` knows."""

    MD5 = 1, "md5", RFC + "2.2.3"
    SHA1 = 2, "sha1", RFC + "2.2.3"
    SHA256 = 3, "sha256", DOIRP


class Mac(Code):
    """Message authentication code of an answer to a challenge with a secret key."""

    SHA1 = 0x02, "SHA-1 of key, challenge, key", RFC + "3.5.2"
    SHA256 = 0x03, "SHA-256 of key, challenge, key", HANDLE_NET + "HASH_CODE_SHA256"
    HMAC_SHA1 = 0x12, "HMAC with SHA-1", RFC + "3.5.2"
    HMAC_SHA256 = 0x13, "HMAC with SHA-256", HANDLE_NET + "HASH_CODE_HMAC_SHA256"
    PBKDF2_HMAC_SHA1 = 0x22, "HMAC with SHA-1, key by PBKDF2", HANDLE_NET + "HASH_CODE_PBKDF2_HMAC_SHA1"


ENVELOPE_OCTETS = 20
"""Length of an envelope (RFC 3652, section 2.2.1) [octets]."""

HEADER_OCTETS = 24
"""Length of a header (RFC 3652, section 2.2.2) [octets]."""

UDP_OCTETS = 512
"""Longest datagram, envelope and all (RFC 3652, section 2.1.2) [octets]."""

PORT = 2641
"""Registered port for TCP and UDP (RFC 3652, section 2.1.2)."""

NONCE_OCTETS = 20
"""Length of a challenge's nonce, the least allowed (RFC 3652, section 3.5.1) [octets]."""

VERSION = (3, 0)
"""Version spoken here: major, minor."""

MAJORS = (2, 3)
"""Major versions understood; a request is answered in its own."""

SECRET_KEY, PUBLIC_KEY = "HS_SECKEY", "HS_PUBKEY"
"""Types of authentication (RFC 3652, section 3.5.2)."""

SIGNED = "HS_SIGNED"
"""Type of a credential that holds a signature (RFC 3652, section 2.2.4)."""

ROOT = "0.NA/0.NA"
"""Identifier of the root of all services (RFC 3652, section 3.1.1)."""

PREFIX_HOME = "0.NA/"
"""Under it stand the identifiers of prefixes (RFC 3652, section 3.1.2)."""
