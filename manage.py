#!/usr/bin/env python
"""Django's own entry point; `backstay` is the same with a shorter name."""

from backstay.cli import main

if __name__ == '__main__':
    main()
