"""`make manifests`: write what is derived from the manifests into the files that have it, and say which changed."""

import sys

from manifests.derived import derived
from manifests.reading import REPOSITORY, ManifestError, read_services


def main() -> int:
    """0 when every manifest is right and every file is as it must be."""
    try:
        files = derived(read_services())
    except ManifestError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for path, text in files.items():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(REPOSITORY)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
