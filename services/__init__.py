"""The back ends of this repository. Each uses only the public API of `backstay`."""
