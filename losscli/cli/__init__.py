"""The command line: the Python API and a renderer, nothing more."""


def main() -> None:
    """The entry point of the program: Ctrl-C ends it without a traceback even while it is being imported."""
    try:
        from losscli.cli.app import main as run

        run()
    except KeyboardInterrupt:
        import os

        os.write(2, b"losscli: interrupted\n")
        os._exit(130)
