"""The command line: the Python API and a renderer, nothing more."""


def main() -> None:
    """The entry point of the program: Ctrl-C ends it without a traceback even while it is being imported."""
    import gc
    import os
    import sys

    # Imports make hundreds of thousands of objects and no garbage: looking for it once would be a tenth of a
    # small run.
    gc.set_threshold(1_000_000)
    # The engine has threads of its own; those of BLAS, which NumPy starts, would only compete with them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from losscli.cli.app import main as run

        run()
    except KeyboardInterrupt:
        os.write(sys.stderr.fileno(), b"losscli: interrupted\n")
        os._exit(130)
