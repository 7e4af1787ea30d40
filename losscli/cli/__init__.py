"""The command line: the Python API and a renderer."""


def main() -> None:
    """The entry point of the program: Ctrl-C ends it without a traceback, even during imports."""
    import gc
    import os
    import sys

    # Imports create hundreds of thousands of objects and no garbage: one collection would take a tenth of a
    # small run.
    gc.set_threshold(1_000_000)
    # The threads of BLAS, which NumPy starts, would only compete with those of the engine.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from losscli.cli.app import main as run

        run()
    except BaseException as error:
        # Python 3.11 raises RuntimeError from an interrupt in a class that is being created.
        if KeyboardInterrupt not in (type(error), type(error.__cause__)):
            raise
        os.write(sys.stderr.fileno(), b"losscli: interrupted\n")
        os._exit(130)
