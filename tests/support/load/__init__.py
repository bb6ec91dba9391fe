"""What is large or comes fast, for the tests that look at behaviour and for the benchmarks that look at speed."""
