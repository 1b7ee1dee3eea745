"""What staff do and look at by command between nights."""
