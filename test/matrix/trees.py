"""What the clients build. Each function fills an empty directory; every compilation and every
test in it is a job, run by clients/job."""

from build import CLIENTS

JOB = CLIENTS / "job"


def write(path, text, mode=0o644):
    """A file, and the directories above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    path.chmod(mode)


def c_files(directory, number):
    """C files, each with a function that the next one calls; the first has main()."""
    for i in range(number):
        following = f"f{i + 1}" if i + 1 < number else None
        body = f"int {following}(int);\n" if following else ""
        call = f"{following}(n + {i})" if following else "n"
        body += f"__attribute__((noipa)) int f{i}(int n) {{ return n & 1 ? {call} : {call} + 1; }}\n"
        if i == 0:
            body += "int main(void) { return !f0(1); }\n"
        write(directory / f"f{i}.c", body)


def make(directory):
    """Three directories, each with a make of its own: 60 compilations by $CC, three programs."""
    write(directory / "Makefile", "all: a b c\na b c:\n\t$(MAKE) -C $@\n.PHONY: all a b c\n")
    for name in "abc":
        c_files(directory / name, 20)
        write(
            directory / name / "Makefile",
            f"prog: {' '.join(f'f{i}.o' for i in range(20))}\n\tcc -o $@ $^\n"
            "%.o: %.c\n\t$(JOB) $(CC) -c -o $@ $<\n",
        )


def lto(kind):
    """Eight files optimised at link time, by as many jobs of a make that the linker starts."""

    def tree(directory):
        c_files(directory, 8)
        # gcc runs itself again by the name that it was called by.
        write(
            directory / "cc",
            "#!/bin/bash\n"
            'case " $* " in *" -fltrans "* | *" -c "*) exec "$JOB" gcc "$@" ;; esac\n'
            "plugin=$(gcc -print-file-name=liblto_plugin.so)\n"
            'exec -a "$0" gcc -B"${plugin%/*}" "$@"\n',
            0o755,
        )
        objects = " ".join(f"f{i}.o" for i in range(8))
        write(
            directory / "Makefile",
            f"prog: {objects}\n"
            f"\t+$(CURDIR)/cc -O2 -flto={kind} -flto-partition=max -o $@ $^\n"
            "%.o: %.c\n\t$(CURDIR)/cc -O2 -flto -c -o $@ $<\n",
        )

    return tree


def ninja(directory, edges=60, seconds=None):
    """As many compilations and a program; or as many edges that only take time."""
    work = "$job cc -c -o $out $in" if seconds is None else f"$job sleep {seconds}"
    text = f"job = {JOB}\nrule work\n  command = {work}\nrule link\n  command = cc -o $out $in\n"
    outputs = [f"f{i}.o" for i in range(edges)]
    if seconds is None:
        c_files(directory, edges)
        text += "".join(f"build f{i}.o: work f{i}.c\n" for i in range(edges))
        text += f"build prog: link {' '.join(outputs)}\n"
    else:
        text += "".join(f"build {output}: work\n" for output in outputs)
    write(directory / "build.ninja", text)


def sleeps(directory, number, seconds):
    """A make of as many targets that only take time."""
    targets = " ".join(f"t{i}" for i in range(number))
    write(
        directory / "Makefile",
        f"all: {targets}\n{targets}:\n\t@$(JOB) sleep {seconds}\n.PHONY: all {targets}\n",
    )


def cargo(directory):
    """A workspace of 16 crates, a program that uses them all, and a build script."""
    names = [f"part{i}" for i in range(16)]
    package = '[package]\nname = "{}"\nversion = "0.1.0"\nedition = "2021"\n'
    needed = "".join(f'{name} = {{ path = "{name}" }}\n' for name in names)
    write(
        directory / "Cargo.toml",
        "[workspace]\n" + package.format("prog") + f"[dependencies]\n{needed}",
    )
    write(directory / "build.rs", "fn main() {}\n")
    sum_of_all = " + ".join(f"{name}::number()" for name in names)
    write(directory / "src/main.rs", f'fn main() {{ println!("{{}}", {sum_of_all}); }}\n')
    for name in names:
        write(directory / name / "Cargo.toml", package.format(name))
        functions = "".join(
            f"pub fn f{i}(n: u64) -> String {{ format!(\"{{n:?}}\").repeat({i}) }}\n"
            for i in range(20)
        )
        write(directory / name / "src/lib.rs", functions + "pub fn number() -> u64 { 1 }\n")


def ctest(directory):
    """40 tests."""
    tests = "".join(f'add_test(t{i} "{JOB}" sleep 0.05)\n' for i in range(40))
    write(directory / "CTestTestfile.cmake", tests)


def pytest(directory):
    """40 tests, which are jobs by themselves."""
    write(directory / "pytest.ini", "[pytest]\naddopts = -p no:cacheprovider\n")
    write(
        directory / "test_tree.py",
        "import os, time, pytest\n"
        "def log(sign):\n"
        '    with open(os.environ["JOBS_LOG"], "a", buffering=1) as log:\n'
        '        log.write(f"{sign} {time.time()}\\n")\n'
        '@pytest.mark.parametrize("number", range(40))\n'
        "def test_takes_time(number):\n"
        '    log("+")\n    time.sleep(0.05)\n    log("-")\n',
    )


def portage(directory):
    """Four packages, each one job, in a repository and a profile of their own."""
    repo, etc = directory / "repo", directory / "prefix/etc/portage"
    write(repo / "metadata/layout.conf", "masters =\nthin-manifests = true\n")
    write(repo / "profiles/repo_name", "matrix\n")
    write(repo / "profiles/categories", "app-misc\n")
    write(repo / "profiles/arch.list", "amd64\n")
    write(repo / "profiles/p/eapi", "8\n")
    write(
        repo / "profiles/p/make.defaults",
        'ARCH="amd64"\nACCEPT_KEYWORDS="amd64"\nCHOST="x86_64-pc-linux-gnu"\n',
    )
    for i in range(4):
        write(
            repo / f"app-misc/part{i}/part{i}-1.ebuild",
            f'EAPI=8\nDESCRIPTION="A job"\nSLOT=0\nKEYWORDS="amd64"\nS="${{WORKDIR}}"\n'
            f'src_compile() {{ JOBS_LOG="{directory}/jobs.log" "{JOB}" sleep 8 || die; }}\n'
            'src_install() { echo "${PN}" >"${PN}"; insinto /; doins "${PN}"; }\n',
        )
    write(etc / "repos.conf", f"[DEFAULT]\nmain-repo = matrix\n[matrix]\nlocation = {repo}\n")
    (etc / "make.profile").symlink_to(repo / "profiles/p")
    isolation = "sandbox usersandbox userpriv ipc-sandbox network-sandbox pid-sandbox mount-sandbox"
    off = " ".join(f"-{feature}" for feature in f"{isolation} ebuild-locks news merge-sync".split())
    places = "".join(
        f'{name}="{directory}/tmp"\n'
        for name in ("PORTAGE_TMPDIR", "DISTDIR", "PKGDIR", "PORTAGE_LOGDIR")
    )
    (directory / "tmp").mkdir()
    write(etc / "make.conf", f'FEATURES="jobserver-token {off}"\n{places}')


def sources(directory):
    """40 C files."""
    c_files(directory, 40)
