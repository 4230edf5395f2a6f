"""The pipelines from files to files; the only package that knows every wing."""
