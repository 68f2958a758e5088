"""The duplicates report in a real browser: report_page.py INFER CACHE OUT. Leaves OUT/report.png to look at.

Ends with 77, which CTest takes as skipped, where there is no Chromium.
"""

import html
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
    odd = ["<!--<script>.png", "cr\rlf\nx.png", "back\\slash\"quote.png", "\x1b[2J\x01.png", "-rf.png"]
    for name in odd:
        shutil.copy(photos / "coffee.png", photos / "below" / name)
    report = pathlib.Path(work) / "report.html"
    subprocess.run([infer, "duplicates", photos, "--html", report], check=True, capture_output=True)

    out.mkdir(parents=True, exist_ok=True)
    browse(work, "--window-size=1200,1500", f"--screenshot={out}/report.png", report.as_uri())
    expect((out / "report.png").stat().st_size > 50_000, "the screenshot shows thumbnails")

    # What a user does by hand, done by a script at the end of a copy of the page; what the page then says is read.
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
    expect("remove '" + str(photos) + "/below/it'\\''s a copy; $(touch oops).png'" in script, script)
    expect(f"remove '{photos}/coffee.png'" not in script, "the original is kept")
    exact_only, _ = after("byId('distance').value = 0; byId('distance').oninput();")
    expect(int(exact_only.split()[0]) < groups, f"a stricter threshold leaves fewer groups: {exact_only}")
    _, unticked = after("byId('none').onclick();")
    expect("\nremove '" not in unticked, "nothing is ticked after Untick all")
    _, by_hand = after("document.querySelectorAll('.group input').forEach(b => { b.checked = true; b.onchange(); });")
    expect("none of them is removed" in by_hand and "\nremove '" not in by_hand, "the last copy is never removed")

    # The script does what it says in a shell, and no more.
    (pathlib.Path(work) / "remove.sh").write_text(script)
    coffee = (photos / "coffee.png").read_bytes()
    (photos / "coffee.png").write_bytes(coffee + b"changed")
    changed = subprocess.run(["sh", "remove.sh"], cwd=work, capture_output=True, text=True)
    expect(changed.returncode == 1 and "has changed" in changed.stderr, "a kept file that changed is said")
    expect((photos / "below" / odd[0]).exists(), "and its copies stay")
    (photos / "coffee.png").write_bytes(coffee)
    for path in (cache / "photos").iterdir():
        shutil.copy(path, photos / path.name)
    shutil.copy(photos / "china.jpg", photos / "below" / "</script><b>.jpg")
    subprocess.run(["sh", "remove.sh"], cwd=work, check=True)
    expect(not (photos / "below" / "it's a copy; $(touch oops).png").exists(), "the copy is removed")
    for name in odd:
        expect(not (photos / "below" / name).exists(), f"{name!r} is removed")
    expect((photos / "coffee.png").exists() and not (pathlib.Path(work) / "oops").exists(), "nothing else happened")
print(f"{count}; screenshot in {out}/report.png")
