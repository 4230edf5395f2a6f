"""The HTTP faces of an identifier node: requests in, responses out; sockets are `serve_http`'s affair."""
