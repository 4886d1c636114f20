"""sallyport exec, env, bundle and docker: tools of developers, which have nothing
set but what these set.

Each tool is first run with the proxy alone, where it must fail for the
certificate's sake, and then under exec, where it must do its work. At the end stands
the table of all of them, with what is not here.
"""

import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile

from case_run import Running
from lab import npm as from_npm
from lab.case import Group, NotRun, eventually
from lab.pki import openssl
from lab.sallyport import SLOW

tools = Group("exec")
own = Group("own", config=None)  # no proxy runs
ORIGIN = "https://tools.lab.test"
TABLE = {}  # tool: (alone, under exec)


# --- how they are run ---------------------------------------------------------

def bare(t, **more):
    """The environment of somebody who has set nothing."""
    os.makedirs(t.dir, exist_ok=True)
    os.chmod(t.dir, 0o755)
    return dict({"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
                 "HOME": t.dir, "LC_ALL": "C.UTF-8"}, **more)


def behind(t, **more):
    """... but the proxy."""
    return t.env(**dict(bare(t), **more))


def under(t, *command, env=None, options=None, timeout=90, stdin=None):
    if options is None:
        options = ("--proxy", "127.0.0.1:%d" % t.proxy.port)
    return t.run(t.binary, "exec", *options, "--", *command,
                 env=env or bare(t), timeout=timeout, stdin=stdin)


def served(t, name="1k"):
    with open(os.path.join(t.lab.www, name)) as f:
        return f.read()


def serve(t, name, data):
    """A file for the lab's nginx."""
    path = os.path.join(t.lab.www, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    os.replace(path + ".new", path)


def tar(**files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


# What each says of a certificate that it does not trust.
REFUSED = re.compile(
    r"certificate|SSL|PKIX|x509|UNABLE_TO_VERIFY|SELF_SIGNED|unable to get "
    r"(local )?issuer", re.I)


class Tool:
    """command(t) gives what to run, and good(t, done) whether it worked."""
    def __init__(self, name, program, command, good, env=None, limit=60,
                 root=False, alone=None):
        self.name, self.program, self.command = name, program, command
        self.good, self.env, self.root = good, env or (lambda t: {}), root
        self.alone = alone or (lambda t: {})
        TABLE[name] = "not asked for"
        case = tools.case(limit=limit)
        self.__name__ = re.sub(r"\W+", "_", name)
        case(self)

    def start(self):
        """How it is started, before the command's words; None where not here."""
        return [] if shutil.which(self.program) else None

    def __call__(self, t):
        start = self.start()
        if start is None:
            TABLE[self.name] = "no " + self.program
            raise NotRun(TABLE[self.name])
        if self.root and os.geteuid() != 0:
            TABLE[self.name] = "not root"
            raise NotRun(TABLE[self.name])
        TABLE[self.name] = False
        try:
            command = (*start, *self.command(t))
        except NotRun as error:
            TABLE[self.name] = str(error)
            raise
        more = self.env(t)
        alone = t.run(*command, env=behind(t, **more, **self.alone(t)),
                      timeout=90)
        said = alone.stdout + alone.stderr
        assert not self.good(t, alone), "works without: " + said[-300:]
        assert REFUSED.search(said), "fails for another reason: " + said[-400:]
        done = under(t, *command, env=bare(t, **more))
        assert self.good(t, done), "exit %d: %s" % (
            done.returncode, (done.stdout + done.stderr)[-600:])
        t.line(kind="exchange", host="tools.lab.test", action="inspect")
        TABLE[self.name] = True


class NpmTool(Tool):
    """One that .ci/npm has fetched: its command has not its own name."""
    def start(self):
        return from_npm.start(self.program)


def prints_it(t, done):
    return done.returncode == 0 and done.stdout == served(t)


def well(t, done):
    return done.returncode == 0


def makes(name):
    def good(t, done):
        return done.returncode == 0 and os.path.exists(t.path(name))
    return good


# --- the tools ----------------------------------------------------------------

Tool("curl", "curl", lambda t: ("curl", "-sS", ORIGIN + "/1k"), prints_it)
Tool("wget", "wget", lambda t: ("wget", "-nv", "-t", "1", "-O", "-",
                                ORIGIN + "/1k"), prints_it)
Tool("git", "git", lambda t: ("git", "clone", "-q", ORIGIN + "/repo.git"),
     makes("repo/hello"), lambda t: {"GIT_TERMINAL_PROMPT": "0"})
Tool("python urllib", "python3", lambda t: (
    sys.executable, "-c", "import sys, urllib.request as u\n"
    "sys.stdout.write(u.urlopen(sys.argv[1]).read().decode())",
    ORIGIN + "/1k"), prints_it)


def requests(t):
    found = t.run(sys.executable, "-c", "import requests")
    if found.returncode:
        raise NotRun("no module requests")
    return (sys.executable, "-c", "import sys, requests\n"
            "sys.stdout.write(requests.get(sys.argv[1]).text)", ORIGIN + "/1k")


Tool("python requests", "python3", requests, prints_it)


def wheel(t):
    info = "lab-1.0.dist-info/"
    serve(t, "lab-1.0-py3-none-any.whl", zipped(**{
        "lab.py": "", info + "METADATA":
        "Metadata-Version: 2.1\nName: lab\nVersion: 1.0\n",
        info + "WHEEL": "Wheel-Version: 1.0\nGenerator: lab\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n", info + "RECORD": ""}))
    return (sys.executable, "-m", "pip", "download", "-q", "--no-deps",
            "--no-cache-dir", "--retries", "0", "--disable-pip-version-check",
            "-d", "got", ORIGIN + "/lab-1.0-py3-none-any.whl")


Tool("pip", "pip", wheel, makes("got/lab-1.0-py3-none-any.whl"))
NpmTool("uv", "uv", lambda t: (
    "pip", "install", "--no-cache", "--python", sys.executable, "--target",
    "got", "--no-deps", "lab @ " + wheel(t)[-1]), makes("got/lab.py"))


def registry(t):
    """... of npm's, with one package; a project that is to use it."""
    data = tar(**{"package/package.json":
                  '{"name": "lab", "version": "1.0.0"}'})
    serve(t, "npm/lab-1.0.0.tgz", data)
    serve(t, "npm/lab", json.dumps({
        "name": "lab", "dist-tags": {"latest": "1.0.0"}, "versions": {
            "1.0.0": {"name": "lab", "version": "1.0.0", "dist": {
                "tarball": ORIGIN + "/npm/lab-1.0.0.tgz",
                "shasum": hashlib.sha1(data).hexdigest()}}}}))
    t.write("package.json", '{"name": "x", "version": "1.0.0"}')
    return ORIGIN + "/npm/"


GOT_IT = makes("node_modules/lab/package.json")
Tool("npm", "npm", lambda t: (
    "npm", "install", "--fetch-retries=0", "--no-audit", "--no-fund",
    "--no-update-notifier", "--registry", registry(t), "lab"), GOT_IT,
     lambda t: {"npm_config_cache": t.path("npm-cache")}, limit=90)
NpmTool("pnpm", "pnpm", lambda t: (
    "add", "--registry", registry(t), "--store-dir", t.path("store"),
    "--fetch-retries=0", "--config.strict-dep-builds=false", "lab"), GOT_IT)
NpmTool("yarn 1", "yarn", lambda t: (
    "add", "--non-interactive", "--registry", registry(t), "--cache-folder",
    t.path("yarn-cache"), "lab"), GOT_IT, limit=90)


def yarn_4(t):
    t.write("yarn.lock", "")
    t.write(".yarnrc.yml", "nodeLinker: node-modules\nhttpRetry: 0\n"
            "enableTelemetry: false\nnpmMinimalAgeGate: 0\n"
            "npmRegistryServer: " + registry(t))
    return ("add", "lab")


# It does not read https_proxy.
NpmTool("yarn 4", "yarn-4", yarn_4, GOT_IT, alone=lambda t: {
    "YARN_HTTPS_PROXY": "http://127.0.0.1:%d" % t.proxy.port})

FETCH = ("fetch(process.argv[1]).then(r => r.text())"
         ".then(s => process.stdout.write(s))")
NpmTool("node fetch", "node", lambda t: ("-e", FETCH, ORIGIN + "/1k"),
        prints_it, alone=lambda t: {"NODE_USE_ENV_PROXY": "1"})
NpmTool("node https", "node", lambda t: (
    "-e", "require('https').get(process.argv[1], r => r.pipe(process.stdout))",
    ORIGIN + "/1k"), prints_it, alone=lambda t: {"NODE_USE_ENV_PROXY": "1"})
NpmTool("bun", "bun", lambda t: ("-e", FETCH, ORIGIN + "/1k"), prints_it)
NpmTool("deno", "deno", lambda t: (
    "eval", "Deno.stdout.write(await (await fetch(Deno.args[0])).bytes())",
    ORIGIN + "/1k"), prints_it, lambda t: {"DENO_DIR": t.path("deno")})
# What a program does that sees to the proxy itself, as they did before.
Tool("node by hand", "node", lambda t: ("node", "-e", """
const http = require("http"), https = require("https");
const proxy = new URL(process.env.https_proxy);
http.request({host: proxy.hostname, port: proxy.port, method: "CONNECT",
    path: "tools.lab.test:443"}).on("connect", (r, socket) => {
  https.get({host: "tools.lab.test", path: "/1k", socket, agent: false},
    (a) => { a.pipe(process.stdout); });
}).end();
"""), prints_it)


def java(t):
    return ("java", t.write("C.java", """
public class C {
  public static void main(String[] a) throws Exception {
    javax.net.ssl.HttpsURLConnection c = (javax.net.ssl.HttpsURLConnection)
      new java.net.URL(a[0]).openConnection();
    c.getInputStream().transferTo(System.out);
    System.out.flush();
  }
}
"""), ORIGIN + "/1k")


class Java(Tool):
    """It has properties for the proxy, and heeds no https_proxy."""
    def __call__(self, t):
        proxy = t.env
        t.env = lambda **more: proxy(**dict(more, JAVA_TOOL_OPTIONS=(
            "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=%d "
            "-Daether.connector.http.useSystemProperties=true"
            % t.proxy.port)))
        super().__call__(t)


Java("java", "javac", java, prints_it, limit=90)


def mvn(t):
    """Of pom packaging nothing is needed but the parent."""
    project = ('<project><modelVersion>4.0.0</modelVersion><groupId>lab'
               '</groupId><artifactId>%s</artifactId><version>1</version>'
               '<packaging>pom</packaging>%s</project>')
    serve(t, "maven/lab/above/1/above-1.pom", project % ("above", ""))
    return ("mvn", "-B", "-Dmaven.repo.local=" + t.path("repository"), "-f",
            t.write("pom.xml", project % (
                "canary", "<parent><groupId>lab</groupId><artifactId>above"
                "</artifactId><version>1</version><relativePath/></parent>"
                "<repositories><repository><id>central</id><url>" + ORIGIN +
                "/maven</url></repository></repositories>")), "-U",
            "validate")


Java("mvn", "mvn", mvn, lambda t, done: "BUILD SUCCESS" in done.stdout,
     limit=120)


def go(t):
    base = "go/lab.test/mod/@v/"
    serve(t, base + "list", "v1.0.0\n")
    serve(t, base + "v1.0.0.info", '{"Version": "v1.0.0"}')
    serve(t, base + "v1.0.0.mod", "module lab.test/mod\n")
    serve(t, base + "v1.0.0.zip", zipped(**{
        "lab.test/mod@v1.0.0/go.mod": "module lab.test/mod\n"}))
    return ("go", "mod", "download", "lab.test/mod@v1.0.0")


Tool("go", "go", go, makes("gopath/pkg/mod/lab.test/mod@v1.0.0/go.mod"),
     lambda t: {"GOPROXY": ORIGIN + "/go", "GOSUMDB": "off",
                "GOPATH": t.path("gopath"), "GOFLAGS": "-modcacherw",
                "GOCACHE": t.path("gocache")})


def cargo(t):
    version = t.run("cargo", "--version").stdout
    if re.match(r"cargo 1\.([0-5]?\d|6[0-7])\.", version):
        raise NotRun("%s knows no sparse registry" % version.strip())
    crate = tar(**{"lab-1.0.0/Cargo.toml":
                   '[package]\nname = "lab"\nversion = "1.0.0"\n',
                   "lab-1.0.0/src/lib.rs": ""})
    serve(t, "crates/config.json", json.dumps(
        {"dl": ORIGIN + "/crates/{crate}-{version}.crate"}))
    serve(t, "crates/lab-1.0.0.crate", crate)
    serve(t, "crates/3/l/lab", json.dumps({
        "name": "lab", "vers": "1.0.0", "deps": [], "features": {},
        "cksum": hashlib.sha256(crate).hexdigest(), "yanked": False}) + "\n")
    os.makedirs(t.path("src"), exist_ok=True)
    t.write("src/lib.rs", "")
    t.write("Cargo.toml", '[package]\nname = "x"\nversion = "1.0.0"\n'
            '[dependencies]\nlab = {version = "1", registry = "lab"}\n')
    return ("cargo", "fetch", "-q")


Tool("cargo", "cargo", cargo, well, lambda t: {
    "CARGO_HOME": t.path("cargo"), "RUSTUP_HOME": os.environ.get(
        "RUSTUP_HOME", os.path.expanduser("~/.rustup")),
    "CARGO_NET_RETRY": "0",
    "CARGO_REGISTRIES_LAB_INDEX": "sparse+" + ORIGIN + "/crates/"})


def aws(t):
    serve(t, "bucket/key", served(t))
    return ("aws", "s3api", "get-object", "--no-sign-request", "--region",
            "us-east-1", "--endpoint-url", ORIGIN, "--bucket", "bucket",
            "--key", "key", "got")


Tool("aws", "aws", aws, makes("got"), lambda t: {
    "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true"}, limit=90)


def gcloud(t):
    serve(t, "compute/projects/lab/zones", json.dumps({"items": [
        {"name": "lab-zone", "kind": "compute#zone", "selfLink": ORIGIN
         + "/compute/projects/lab/zones/lab-zone"}]}))
    return ("gcloud", "compute", "zones", "list", "--quiet",
            "--format=value(name)")


Tool("gcloud", "gcloud", gcloud,
     lambda t, done: done.returncode == 0 and "lab-zone" in done.stdout,
     lambda t: {"CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
                "CLOUDSDK_CORE_PROJECT": "lab",
                "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
                "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE":
                    ORIGIN + "/compute/"}, limit=150)


def terraform(t):
    serve(t, "module.zip", zipped(**{"main.tf": ""}))
    t.write("main.tf", 'module "m" { source = "%s/module.zip" }\n' % ORIGIN)
    return ("terraform", "init", "-no-color")


Tool("terraform", "terraform", terraform, makes(".terraform/modules/m/main.tf"),
     lambda t: {"CHECKPOINT_DISABLE": "1"})


def apt(t):
    """As root, which has _apt fetch: who must be able to read the bundle."""
    serve(t, "apt/Packages", "Package: lab\nVersion: 1\nArchitecture: all\n"
          "Filename: ./lab.deb\nSize: 1\nSHA256: %064d\n\n" % 0)
    at = t.path("apt")
    for name in ("lists/partial", "cache/archives/partial", "etc"):
        os.makedirs(os.path.join(at, name), exist_ok=True)
    t.write("sources.list", "deb [trusted=yes] %s/apt ./\n" % ORIGIN)
    options = {"Dir::Etc::sourcelist": t.path("sources.list"),
               "Dir::Etc::sourceparts": "-", "Dir::State::lists":
               at + "/lists", "Dir::Cache": at + "/cache",
               "Acquire::Retries": "0", "APT::Get::List-Cleanup": "0",
               "Acquire::Languages": "none", "APT::Update::Error-Mode": "any"}
    return ("apt-get", "update") + tuple(
        "-o%s=%s" % option for option in options.items())


Tool("apt", "apt-get", apt, well, root=True)


def lwp(t):
    if t.run("perl", "-MLWP::Protocol::https", "-e", "1").returncode:
        raise NotRun("no LWP::Protocol::https")
    return ("perl", "-MLWP::UserAgent", "-e",
            "my $r = LWP::UserAgent->new->get($ARGV[0]);"
            "print STDERR $r->status_line unless $r->is_success;"
            "print $r->content if $r->is_success", ORIGIN + "/1k")


Tool("perl LWP", "perl", lwp, prints_it,
     alone=lambda t: {"PERL_LWP_ENV_PROXY": "1"})
Tool("ruby", "ruby", lambda t: (
    "ruby", "-ropen-uri", "-e", "print URI.open(ARGV[0]).read",
    ORIGIN + "/1k"), prints_it)

def composer(t):
    serve(t, "packagist/packages.json", json.dumps({"packages": {"lab/lab": {
        "1.0.0": {"name": "lab/lab", "version": "1.0.0",
                  "type": "metapackage"}}}}))
    t.write("composer.json", json.dumps({
        "require": {"lab/lab": "*"}, "repositories": [
            {"type": "composer", "url": ORIGIN + "/packagist"},
            {"packagist.org": False}]}))
    return ("composer", "update", "--no-interaction", "--quiet")


Tool("composer", "composer", composer, makes("composer.lock"), lambda t: {
    "COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_HOME": t.path("home")})


def bundler(t):
    """The index that every version reads, made by Ruby's own library."""
    serve(t, "gems/quick/Marshal.4.8/there", "")
    made = t.run("ruby", "-rzlib", "-e", """
Dir.chdir(ARGV[0])
spec = Gem::Specification.new { |s| s.name = "lab"; s.version = "1.0.0"
  s.summary = "lab"; s.authors = ["lab"] }
one = [["lab", spec.version, "ruby"]]
File.binwrite("specs.4.8.gz", Zlib.gzip(Marshal.dump(one)))
File.binwrite("prerelease_specs.4.8.gz", Zlib.gzip(Marshal.dump([])))
File.binwrite("quick/Marshal.4.8/lab-1.0.0.gemspec.rz",
  Zlib.deflate(Marshal.dump(spec)))
""", os.path.join(t.lab.www, "gems"))
    assert made.returncode == 0, made.stderr
    t.write("Gemfile", 'source "%s/gems"\ngem "lab"\n' % ORIGIN)
    return ("bundle", "lock")


Tool("bundler", "bundle", bundler, makes("Gemfile.lock"), lambda t: {
    "BUNDLE_RETRY": "0", "BUNDLE_USER_HOME": t.path("bundle")})


@tools.case
def a_node_that_does_not_say_its_version(t):
    """As a script does that fetches one first."""
    os.makedirs(t.path("bin"))
    with open(t.path("bin/node"), "w") as f:
        f.write('#!/bin/sh\n[ "$1" != --version ] || exec sleep 1000\n'
                "echo ran\n")
    os.chmod(t.path("bin/node"), 0o755)
    path = t.path("bin") + ":" + os.environ["PATH"]
    done = under(t, "node", "x", env=bare(t, PATH=path), timeout=25)
    assert done.stdout == "ran\n" and done.returncode == 0, done


@tools.case
def the_table(t):
    """What has been found, for whoever reads the run. Browsers have stores of their
    own: they are not exec's."""
    if True not in TABLE.values():
        raise NotRun("none of them was run")
    print("    tool              proxy alone   under exec")
    for name, found in TABLE.items():
        print("    %-17s %s" % (name, "fails         works" if found is True
              else "not run: %s" % found if found else "FAILS"))
    print("    %-17s not run: has no case" % "conda")
    sys.stdout.flush()
    assert False not in TABLE.values(), [n for n, v in TABLE.items() if not v]
