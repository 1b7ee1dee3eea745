"""Whether a ledger holds what it promises: when opened, after each night, by command."""
