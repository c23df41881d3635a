"""Double entry, hash-chained: postings, the chain, replay."""
