"""The contenders: each serves the cases of `bench.cases` as an expert of its framework would."""
