ERRORS: dict[str, str] = {}
