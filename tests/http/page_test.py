"""Uses the server's page in a real browser like a person: page_test.py INFER CACHE OUT. Saves a screenshot as OUT/page.png.

Exits with 77, which CTest counts as skipped, if Chromium or its driver is not installed.
"""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

infer, cache, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
if not shutil.which("chromedriver") or not shutil.which("chromium"):
    print("skipped: there is no chromium with its driver; scripts/setup.sh --tests installs them")
    sys.exit(77)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of references in the WebDriver protocol


class Browser:
    def __init__(self, profile):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        port = None
        for line in self.driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                port = found.group(1)
                break
        self.base = f"http://127.0.0.1:{port}/session"
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--window-size=1100,1150", f"--user-data-dir={profile}"]
        session = self.call("POST", "", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": flags}, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.base += "/" + session["sessionId"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method, data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            sys.exit("FAILED: " + json.load(error)["value"]["message"])

    def run(self, script):
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def find(self, css):
        return self.call("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def type(self, css, text):
        self.call("POST", f"/element/{self.find(css)}/value", {"text": text})

    def click(self, css):
        self.call("POST", f"/element/{self.find(css)}/click", {})

    def text(self, css):
        return self.call("GET", f"/element/{self.find(css)}/text")

    def wait(self, script, what):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if value := self.run("return " + script):
                return value
            time.sleep(0.05)
        sys.exit("FAILED: " + what + "\n" + self.text("body"))

    def close(self):
        self.call("DELETE", "")
        self.driver.terminate()
        self.driver.wait(30)


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def make_models(folder):
    def model(name, task, inputs, outputs, **more):
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "1" / "script.json").write_text("{}")
        (folder / name / "infer.json").write_text(json.dumps(
            {"task": task, "backend": "scripted", "file": "script.json", "inputs": inputs, "outputs": outputs, **more}))
    fp32 = {"dtype": "FP32"}
    model("photos", "image-embedding", [{"name": "pixels", "shape": [3, 32, 32], **fp32}],
          [{"name": "embedding", "shape": [64], **fp32}], preprocess={"size": 32})
    model("tensors", "raw", [{"name": "x", "shape": [4], **fp32}], [{"name": "x", "shape": [4], **fp32}])


def start_server(*flags):
    server = subprocess.Popen([infer, "serve", "--port", "0", "--probe-port", "0", *flags], stdout=subprocess.PIPE, text=True)
    port = None
    for line in server.stdout:
        event = json.loads(line)
        port = event.get("port", port)
        if event["event"] == "ready":
            break
    return server, f"http://127.0.0.1:{port}/"


with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    make_models(work / "models")
    keys = work / "keys"
    keys.write_text("the-key-of-this-test\n")
    server, url = start_server("--models", work / "models", "--api-keys", keys)
    browser = Browser(work / "profile")
    try:
        browser.call("POST", "/url", {"url": url})
        # The page asks for the key, and shows the models after it has the key.
        browser.wait("!document.getElementById('key-form').hidden", "the page asks for a key")
        browser.type("#key", "the-key-of-this-test\n")
        browser.run("document.getElementById('key').dispatchEvent(new Event('change'))")
        browser.wait("document.querySelectorAll('#models tr').length === 2", "both models are shown")
        expect(browser.text("#state") == "ready", "the state is shown")

        # Chooses a photo, whose vector the page must show.
        browser.type("#file", str(next((cache / "photos").glob("coffee*"))))
        summary = browser.wait("document.getElementById('summary').textContent", "an answer to the photo")
        expect(summary.startswith("64 numbers: "), summary)
        expect(browser.run("return document.querySelectorAll('#bars i').length") == 64, "a bar a number")
        browser.wait("document.querySelectorAll('#timings div').length === 4", "the timings")
        browser.wait("document.querySelector('#models td:nth-child(5)').textContent === '1'", "the request is counted")
        time.sleep(0.2)  # only for the screenshot, which should show the painted photo
        out.mkdir(parents=True, exist_ok=True)
        (out / "page.png").write_bytes(base64.b64decode(browser.call("GET", "/screenshot")))

        # Drops a photo, with the events of a browser.
        browser.run("""const transfer = new DataTransfer();
            transfer.items.add(new File(['no photo'], 'a.jpg', {type: 'image/jpeg'}));
            document.getElementById('photo').dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true}));""")
        browser.wait("document.getElementById('summary').className === 'failed'", "what is no photo is said to be none")

        # Sends tensors by hand. The page must report an error.
        browser.run("""const select = document.getElementById('model');
            select.value = 'tensors'; select.dispatchEvent(new Event('change'));""")
        browser.click("#send")
        browser.wait("document.getElementById('summary').textContent === 'x FP32 [1,4]'", "the tensor comes back")
        browser.run("""document.getElementById('body').value = '{"inputs":[]}'""")
        browser.click("#send")
        browser.wait("document.getElementById('summary').textContent === 'inputs: x is missing'", "the error is shown")

        complaints = [entry["message"] for entry in browser.call("POST", "/se/log", {"type": "browser"})
                      if "status of 401" not in entry["message"] and "status of 400" not in entry["message"]]
        expect(not complaints, f"the browser complains of nothing: {complaints}")
        page = urllib.request.urlopen(url)
        expect("default-src 'none'" in page.headers["Content-Security-Policy"], "the policy is strict")
        text = page.read().decode()
        expect(not re.search(r"https?://|//\w", text), "the page names no other address")
    finally:
        browser.close()
        server.terminate()
        server.terminate()
        server.wait(30)
print(f"screenshot in {out}/page.png")
