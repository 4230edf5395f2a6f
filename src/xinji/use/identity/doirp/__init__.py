"""DO-IRP v3.0, the Handle protocol: codes, messages and what a server answers; no sockets.

Sources: RFC 3652, "Handle System Protocol (ver 2.1) Specification" (the layouts and their sections);
DONA Foundation, "Digital Object Identifier Resolution Protocol Specification", version 3.0 of
30 June 2022 (new names, the suggested version, SHA-256, three more option flags). Where the two leave
something open, what the reference software Handle.Net sends is named as the source.
"""
