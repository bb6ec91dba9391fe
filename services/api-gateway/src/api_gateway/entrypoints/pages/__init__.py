"""The admin page: what people see and do in a browser, with the same rights and traces as over the API."""
