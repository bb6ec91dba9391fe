"""The runtime every provider gateway shares: one attempt in, one outcome out."""
