"""One line a step, and a count at the end."""

import sys
import traceback


class Steps:
    def __init__(self, client):
        self.client, self.passed, self.failed = client, 0, 0

    def __call__(self, name):
        """Runs the decorated function as a step; a later step can use what it returns."""

        def run(step):
            try:
                result = step()
            except Exception as error:  # a step that fails must not hide the others
                self.failed += 1
                text = (str(error) or repr(error)).strip().splitlines()
                line = traceback.extract_tb(error.__traceback__)[1].lineno
                print(f"{self.client}: {name}: FAILED (line {line}): {text[0] if text else error!r}", flush=True)
                return None
            self.passed += 1
            print(f"{self.client}: {name}: ok", flush=True)
            return result

        return run

    def end(self):
        print(f"{self.client}: {self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)
