"""One build verb per file: prepare, train, compress, judge, price, release."""
