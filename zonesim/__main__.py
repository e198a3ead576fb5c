"""`python -m zonesim` is the command `zonesim`."""

import os
import signal


def _stop(*_: object) -> None:
    os.write(2, b"stopped; no results are kept\n")
    os._exit(130)


if __name__ != "__mp_main__":  # a worker, which the process that has started it ends
    signal.signal(signal.SIGINT, _stop)  # while the rest is imported, of which nothing has to be put away

from zonesim.stopping import answered  # noqa: E402


def main() -> None:
    """Run the command line; interrupts are answered while it is imported, too."""
    try:
        with answered():
            from zonesim.cli import main as run  # noqa: PLC0415  it takes a while

            run()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done


if __name__ == "__main__":
    main()
