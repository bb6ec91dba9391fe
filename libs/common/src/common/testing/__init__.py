"""What tests of several services share: a clock that is moved by hand."""
