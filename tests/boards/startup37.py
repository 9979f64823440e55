"""Turns a cx_Freeze console base into a plain `python3.7` command line; boardlab.py copies it to lib/__startup__.py."""

import sys


def init(*_):
    """Called by the base before run; nothing to do."""


def run(*_):
    """Act as `python3.7`; the base would end with status 255, not 1, after an uncaught exception."""
    try:
        command_line()
    except SystemExit:
        raise
    except BaseException:
        kind, error, trace = sys.exc_info()
        while trace.tb_next and trace.tb_frame.f_code.co_filename == run.__code__.co_filename:
            trace = trace.tb_next  # show the script's frames only
        sys.excepthook(kind, error.with_traceback(trace), trace)
        sys.exit(1)


def command_line():
    """Set the paths of an ordinary Python, then do what `python3.7 [-c CODE | -m MODULE | FILE | -] ARGS` does."""
    import os

    home = os.path.dirname(os.path.abspath(sys.executable))
    lib = os.path.join(home, "lib", "python3.7")
    sys.prefix = sys.exec_prefix = sys.base_prefix = sys.base_exec_prefix = home
    extra = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    sys.path[:] = [*extra, lib, os.path.join(home, "lib-dynload")]
    if hasattr(sys, "frozen"):
        del sys.frozen
    import site

    site.addsitedir(os.path.join(lib, "site-packages"))
    site.setquit()
    site.setcopyright()
    site.sethelper()
    args = sys.argv[1:]
    while args and args[0] in ("-u", "-s", "-S", "-E", "-I", "-B"):
        args.pop(0)
    if args and args[0] in ("-V", "--version"):
        print("Python", sys.version.split()[0])
    elif args and args[0] == "-m":
        import runpy

        sys.argv = args[1:]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(args[1], run_name="__main__", alter_sys=True)
    elif args and args[0] == "-c":
        main("<string>", args[1], "", ["-c", *args[2:]])
    elif not args or args[0] == "-":
        main("<stdin>", sys.stdin.read(), "", args or ["-"])
    elif args[0].startswith("-"):
        sys.exit(f"python3.7 (boardlab): option {args[0]} is not supported")
    else:
        try:
            with open(args[0], "rb") as file:
                source = file.read()
        except OSError as error:
            print(f"python3.7: can't open {args[0]!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
            sys.exit(2)
        main(args[0], source, os.path.dirname(os.path.abspath(args[0])), args)


def main(filename, source, folder, argv):
    """Execute source as __main__ with argv, folder first on sys.path."""
    import builtins
    import types

    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    if not filename.startswith("<"):
        module.__file__ = filename
    sys.modules["__main__"] = module
    sys.argv = argv
    sys.path.insert(0, folder)
    exec(compile(source, filename, "exec"), module.__dict__)  # noqa: S102  # it is a Python command line
