"""What a helping process does: it is given documents and hands their workbooks back.

It holds neither ledger nor lock, writes no file and says nothing. It ends with the
process that started it, however that ends: then there is nothing left to read.
"""

import pickle
import signal
import sys

from pipeline.exports import invoice


def main() -> None:
    """Render batch after batch until no more come; None for one that cannot be."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is interrupted is not this one
    given, back = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    while True:
        try:
            documents = pickle.load(given)
        except EOFError:
            return
        try:
            made = [invoice.render(document) for document in documents]
        except Exception:  # it comes again, and is told, where the night is
            made = None
        pickle.dump(made, back)
        back.flush()
