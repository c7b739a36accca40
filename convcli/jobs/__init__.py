"""From files to files: finding the inputs of a run, naming the outputs, and the job that reads and writes them."""
