"""python -m stackgan.toybirds: one drawing worker, as layout.py starts them."""

import sys

from stackgan.toybirds.pictures import main

main(sys.argv[1:])
