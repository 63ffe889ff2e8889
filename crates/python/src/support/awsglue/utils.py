"""The arguments of a job, as its script reads them."""


class GlueArgumentError(Exception):
    """An argument that the script asks for was not given."""


def getResolvedOptions(args, options):
    """The values of the named arguments, as a dictionary.

    `args` is sys.argv; `options` names the wanted arguments without their hyphens. In `args` each stands as
    `--name value` or `--name=value`. All that are asked for must be there; others are left alone.
    """
    given = {}
    words = list(args[1:])
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        if equals:
            given[name] = value
        elif words and not words[0].startswith("--"):
            given[name] = words.pop(0)
        else:
            given[name] = None
    found = {}
    for name in options:
        name = name.removeprefix("--")
        if name not in given:
            raise GlueArgumentError(f"the argument --{name} is required")
        if given[name] is None:
            raise GlueArgumentError(f"the argument --{name} has no value")
        found[name] = given[name]
    return found
