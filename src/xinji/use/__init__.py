"""Wing 3, live on it: what is built gets a name, reports and is measured."""
