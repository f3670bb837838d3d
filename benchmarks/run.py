"""Every workload, one after the other, with the same command line as each of them."""

import sys

import chain
import dataclasses_cross
import fan_out
from workload import main

if __name__ == "__main__":
    sys.exit(main(chain.WORKLOAD, fan_out.WORKLOAD, dataclasses_cross.WORKLOAD))
