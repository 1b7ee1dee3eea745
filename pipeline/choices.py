"""What commands offer to choose from; nothing is imported, so that `--help` is quick."""

# The guards of a night, in the order in which they are asked.
GUARDS = ("drop", "joined", "changed", "price", "forecast", "amount", "date")

# The packages of `pipeline/exports/packages`.
PACKAGES = (
    "xero", "xero-journal", "quickbooks", "sage50", "sage-accounting", "quickfile",
)  # fmt: skip
