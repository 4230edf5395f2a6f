"""The steps that bring a ledger's database from one version to the next."""
