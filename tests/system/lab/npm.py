"""Tools from npm's registry, which .ci/npm has put into build/npm: newer than
Debian's, or not in Debian at all. Each is asked for by its name and is a list,
how to start it; None where it could not be had."""

import glob
import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      *[".."] * 3, "build", "npm", "node_modules")
# Programs, and scripts that this node is to run.
PROGRAMS = {"node": "node-linux-*/bin/node", "deno": "@deno/linux-*/deno",
            "uv": "@manzt/uv-linux-*/bin/uv", "bun": "@oven/bun-linux-*/bin/bun"}
SCRIPTS = {"pnpm": "pnpm/bin/pnpm.cjs", "yarn": "yarn/bin/yarn.js",
           "yarn-4": "@yarnpkg/cli-dist/bin/yarn.js"}


def found(pattern):
    paths = glob.glob(os.path.join(FOLDER, pattern))
    return os.path.realpath(paths[0]) if len(paths) == 1 else None


def start(name):
    if name in PROGRAMS:
        path = found(PROGRAMS[name])
        return path and [path]
    node, script = found(PROGRAMS["node"]), found(SCRIPTS[name])
    return node and script and [node, script]
