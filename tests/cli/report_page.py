"""Tests the duplicates report in a real browser: report_page.py INFER CACHE OUT. Saves a screenshot as OUT/report.png.

Exits with 77, which CTest counts as skipped, if Chromium is not installed.
"""

import html
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

infer, cache, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
chromium = shutil.which("chromium")
if not chromium:
    print("skipped: there is no chromium; scripts/setup.sh --tests installs it")
    sys.exit(77)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def browse(work, *flags):
    return subprocess.run([chromium, *FLAGS, f"--user-data-dir={work}/profile", *flags], check=True, timeout=120,
                          capture_output=True, text=True).stdout


def script_of(page):
    return html.unescape(re.search(r"<output id=\"test\">(.*?)</output>", page, re.DOTALL).group(1))


def expect(holds, what):
    if not holds:
        print("FAILED:", what)
        sys.exit(1)


with tempfile.TemporaryDirectory() as work:
    photos = pathlib.Path(work) / "photos"
    (photos / "below" / "<").mkdir(parents=True)  # below/</script>…
    for path in (cache / "photos").iterdir():
        shutil.copy(path, photos / path.name)
    shutil.copy(photos / "coffee.png", photos / "below" / "it's a copy; $(touch oops).png")
    shutil.copy(photos / "china.jpg", photos / "below" / "</script><b>.jpg")
    hostile = ["<!--<script>.png", "carriage\rreturn.png", "line\nfeed\n.png", "-rf.png", "back\\0101slash\\n.png", "per%cent %s.png",
               "\x1b[31mred\x7f.png", "tab\t\"quote\" `touch oops`.png", "umlaut ä \u202egnp.png", " .png"]
    (photos / "hostile").mkdir()
    for i, name in enumerate(hostile):
        shutil.copy(photos / "coffee.png", photos / "hostile" / name)
    os.symlink(photos / "coffee.png", photos / "hostile" / "symbolic.png")
    os.link(photos / "rocket.jpg", photos / "hostile" / "hard.jpg")
    (photos / "below" / "carriage").mkdir()
    (photos / "below" / "bystander").write_bytes(b"")
    report = pathlib.Path(work) / "report.html"
    subprocess.run([infer, "duplicates", photos, "--html", report], check=True, capture_output=True)

    out.mkdir(parents=True, exist_ok=True)
    browse(work, "--window-size=1200,1500", f"--screenshot={out}/report.png", report.as_uri())
    expect((out / "report.png").stat().st_size > 50_000, "the screenshot shows thumbnails")

    # A script at the end of a copy of the page acts like a user. The test then reads what the page shows.
    def after(steps):
        copy = pathlib.Path(work) / "copy.html"
        copy.write_text(report.read_text().replace("</body>", f"""<output id="test"></output><script>
            {steps}
            byId('test').textContent = byId('count').textContent + '|' + byId('script').value;
            </script></body>"""))
        return script_of(browse(work, "--dump-dom", copy.as_uri())).split("|", 1)

    count, script = after("")
    groups = int(count.split()[0])
    expect(groups >= 3, f"groups: {count}")
    expect(re.search(rf"^remove '{photos}/coffee.png' \w+ '{photos}/below/it.0047s a copy; \$\(touch oops\).png' ", script, re.M),
           script)
    expect(not re.search(rf"^remove '\S+ \w+ '{photos}/coffee.png'", script, re.M), "the original is kept")
    exact_only, _ = after("byId('distance').value = 0; byId('distance').oninput();")
    expect(int(exact_only.split()[0]) < groups, f"a stricter threshold leaves fewer groups: {exact_only}")
    # Pairs of near hashes whose colours differ have the stage cosine, and are similar by their cosine alone.
    others = """data.links.forEach(l => { if (l.stage === 'perceptual') { l.stage = 'cosine'; l.distance = 0; l.cosine = 0.9; } });
        data.cosine_stage = 'on'; byId('cosine').value = %s; byId('cosine').oninput();"""
    strict, _ = after(others % 0.96)
    loose, _ = after(others % 0.85)
    expect(int(strict.split()[0]) < groups <= int(loose.split()[0]),
           f"pairs of other colours match by their cosine alone: {strict}, {loose}")
    _, unticked = after("byId('none').onclick();")
    expect("\nremove '" not in unticked, "nothing is ticked after Untick all")
    _, by_hand = after("document.querySelectorAll('.group input').forEach(b => { b.checked = true; b.onchange(); });")
    expect("\n# not removed, because no similar photograph is kept" in by_hand and "\nremove '" not in by_hand, "a last copy is never removed")

    # The script must do in a shell what it says, and nothing else.
    (pathlib.Path(work) / "remove.sh").write_text(script)
    subprocess.run(["sh", "remove.sh"], cwd=work, check=True)
    expect(not (photos / "below" / "it's a copy; $(touch oops).png").exists(), "the copy is removed")
    for name in hostile:
        expect(not (photos / "hostile" / name).exists(), f"the copy named {name!r} is removed")
    expect((photos / "hostile" / "symbolic.png").exists() and (photos / "hostile" / "hard.jpg").exists()
           and (photos / "rocket.jpg").exists(), "links stay, and so does what they lead to")
    expect((photos / "coffee.png").exists() and not (pathlib.Path(work) / "oops").exists(), "nothing else happened")

    # Changed or missing files stop the removal of their copies.
    shutil.copy(photos / "coffee.png", photos / "below" / "again.png")
    subprocess.run([infer, "duplicates", photos, "--html", report], check=True, capture_output=True)
    _, script = after("")
    (pathlib.Path(work) / "remove.sh").write_text(script)
    (photos / "coffee.png").rename(photos / "moved away")
    run = subprocess.run(["sh", "remove.sh"], cwd=work, capture_output=True, text=True)
    expect(run.returncode == 1 and "missing or has changed" in run.stderr, f"{run.returncode} {run.stderr}")
    expect((photos / "below" / "again.png").exists(), "without the kept photograph its copy stays")
    (photos / "moved away").rename(photos / "coffee.png")
    (photos / "below" / "again.png").write_bytes(b"something else now")
    run = subprocess.run(["sh", "remove.sh"], cwd=work, capture_output=True, text=True)
    expect(run.returncode == 1 and (photos / "below" / "again.png").exists(), "a file that is another one by now stays")
print(f"{count}; screenshot in {out}/report.png")
