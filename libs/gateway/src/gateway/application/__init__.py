"""One attempt in, one outcome out, told through ports."""
