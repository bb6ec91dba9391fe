"""`python -m kabar_cli` is `kabar`."""

from kabar_cli.program import main

if __name__ == "__main__":
    main()
