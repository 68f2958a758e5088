#!/usr/bin/env python3
"""Checks that token ids equal those of PyPI's tokenizers: same_ids.py ENCODE_LINES CACHE [--speed]

Tests every code point, hostile strings, and 50,000 lines of many languages from the translations of Debian's iso-codes and manual
pages. --speed compares the time of one thread instead. Exits with 77 (skipped) if a part that the set-up scripts install is missing.
"""

import gettext
import glob
import gzip
import os
import pathlib
import random
import subprocess
import sys
import time

program, cache = sys.argv[1], pathlib.Path(sys.argv[2])
LINES = 50_000

sys.path[:0] = [str(path) for path in cache.glob("tokenizers-*")]
try:
    from tokenizers import Tokenizer
except ImportError:
    print("skipped: no tokenizers; scripts/setup.sh --tests installs them")
    sys.exit(77)
model = cache / "minilm"
os.environ["TOKENIZERS_PARALLELISM"] = "false"


def ours(texts, limit):
    data = b"".join(text.encode("utf-8", "surrogatepass") + b"\0" for text in texts)
    result = subprocess.run([program, str(model / "vocab.txt"), "1", str(limit)], input=data, capture_output=True, check=True)
    return [[int(word) for word in line.split()] for line in result.stdout.decode().splitlines()]


def reference(limit):
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)
    return tokenizer


def theirs(texts, limit):
    return [encoding.ids for encoding in reference(limit).encode_batch(texts)]


def compare(what, texts, limit=100_000):
    wrong = [(text, a, b) for text, a, b in zip(texts, ours(texts, limit), theirs(texts, limit), strict=True) if a != b]
    for text, a, b in wrong[:5]:
        print(f"{what}: {text[:80]!r}\n  ours   {a[:24]}\n  theirs {b[:24]}")
    print(f"{what}: {len(texts)} texts, {len(wrong)} differ")
    return not wrong


def corpus():
    """Returns lines of the translations and the manual pages, with mixed languages."""
    lines = set()
    for path in sorted(glob.glob("/usr/share/locale/*/LC_MESSAGES/iso_*.mo")):
        with open(path, "rb") as file:
            catalogue = gettext.GNUTranslations(file)
        lines.update(text for text in catalogue._catalog.values() if text and "\n" not in text)
    for path in sorted(glob.glob("/usr/share/man/*/man[1-8]/*.gz")):
        text = gzip.open(path).read().decode("utf-8", "replace")
        lines.update(line for line in text.splitlines() if line)
    lines = sorted(line for line in lines if "\0" not in line)
    random.Random(1).shuffle(lines)
    return lines[:LINES]


def hostile():
    rng = random.Random(2)
    texts = ["", " ", "\t\n\r", "[CLS]", "[SEP][PAD]", "[cls]", "a[MASK]b", "[[SEP]]", "[UNK", "x" * 100, "x" * 101,
             "é" * 100, "é" * 101, "e\u0301" * 60, "\u0300" * 500, "\ufffd", "\u200b\u200d", "İstanbul", "ǅ", "ß", "ﬁ",
             "한국어", "日本語テキスト", "中文abc中文", "\u0344", "\U0001f600\U0001f1e9\U0001f1ea", "a\u0338=\u0338", "##a",
             "##", "# #", "unaffable", "https://example.org/?q=a&b=[SEP]", "\u2028\u2029", "\x7f\x85\x01", "\u3000", "̈́",
             "ΑΣ ΣΑΣ", "\u1e9e", "\ufb1d", "\u0958", "\u2126\u212a\u212b", "ー〜｡", "٠١٢", "\ud7a3\u1100\u1161\u11a8",
             "a" * 5000 + " b", "." * 3000, "\u302e\u302f", "\U0001d15f\U0001d165\U0001d16e",
             # Problems reported for other tokenizers: llama.cpp 5496, tokenizers 576, djl 1528, embeddings.cpp 1.
             "Kantō lǜshi", "Il \uf059-qassisin L-indu", "Şeker çok güzel, Ç Ş ş ç Ö ö", "大家好我是GPT", "你好，世界"]
    alphabet = [chr(c) for c in range(1, 0x3000) if chr(c).isprintable() or c < 32] + ["[SEP]", "##", "中", "\U0001f600"]
    texts += ["".join(rng.choices(alphabet, k=rng.randrange(1, 60))) for _ in range(5000)]
    return texts


def speed(lines):
    data = b"".join(line.encode("utf-8", "replace") + b"\0" for line in lines)
    tokenizer = reference(100_000)
    ratios = []
    for _ in range(5):
        start = time.perf_counter()
        for line in lines:
            tokenizer.encode(line)
        single = time.perf_counter() - start
        start = time.perf_counter()
        tokenizer.encode_batch_fast(lines)
        batch = time.perf_counter() - start
        run = subprocess.run([program, str(model / "vocab.txt"), "1", "100000", "1"], input=data, capture_output=True, check=True)
        mine, tokens = run.stdout.split()[:2]
        ratios.append((min(single, batch) / float(mine), float(mine), batch, single, int(tokens)))
    ratio, mine, batch, single, tokens = sorted(ratios)[2]
    print(f"{len(lines)} lines, {tokens} tokens: {mine:.3f} s; tokenizers {batch:.3f} s as one batch, {single:.3f} s line by line; "
          f"{ratio:.2f} times the better")


lines = corpus()
if len(lines) < LINES:
    print(f"skipped: only {len(lines)} lines of iso-codes and manpages-de, -fr, -ja, -zh, -ru are installed")
    sys.exit(77)
if "--speed" in sys.argv:
    speed(lines)
    sys.exit()
points = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF]
results = [compare("code points", [f"a{c}b {c}" for c in points]), compare("hostile", hostile()),
           compare("lines", lines), compare("lines cut to 16", lines[:5000], 16)]
sys.exit(not all(results))
