"""Copies of the ledger, and bringing one back without giving a number twice."""
