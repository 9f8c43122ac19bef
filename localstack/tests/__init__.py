"""Tests of the local AWS: each mend against what AWS documents, and against the emulator with the mend switched off."""
