"""What the ledger says, as values that the outputs are drawn from."""
