"""`python -m client` is `longitude`."""

from client.cli.command import main

if __name__ == "__main__":
    main()
