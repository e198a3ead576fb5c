"""`python -m zonesim` is the command `zonesim`."""

from zonesim.cli import main

if __name__ == "__main__":
    main()
