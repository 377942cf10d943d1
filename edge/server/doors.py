"""The small pages around signing in. They need nothing else from the server, which shows nothing before."""

import base64
import hashlib
import math
from html import escape
from string import Template
from typing import Final

from edge.server.headers import CSP
from edge.server.lockout import in_words

STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
html { background: #f5f5f2; color: #1b1d22; }
body { max-width: 26rem; margin: 18vh auto 0; padding: 0 1.5rem; }
h1 { font-size: 1.35rem; margin: 0 0 .5rem; letter-spacing: -.01em; }
p { margin: 0 0 1.25rem; }
label { display: block; font-weight: 600; margin-bottom: .35rem; }
input, button { font: inherit; box-sizing: border-box; width: 100%; padding: .6rem .8rem; border-radius: .6rem; }
input { border: 1px solid #a3a7b0; background: #fff; color: inherit; margin-bottom: .75rem; }
button { border: 0; background: rgb(4 115 222); color: #fff; font-weight: 600; cursor: pointer; }
@media (prefers-color-scheme: dark) {
  html { background: #0e1013; color: #eceef2; }
  input { border-color: #4a4f59; background: #16191e; }
}
:focus-visible { outline: 3px solid rgb(4 115 222 / .5); outline-offset: 2px; }
"""

SIGN_IN_CSP: Final = CSP.replace(
    "style-src 'self'", f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)

SIGN_IN = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in – emotion-edge</title>
<link rel="icon" href="${root}favicon.svg" type="image/svg+xml">
<style>$style</style>
</head>
<body>
<main>
<h1>$title</h1>
<p>Open the address with <code>?token=…</code> that emotion-edge printed when it started, or enter that token here.</p>
<form action="${root}login" method="post">
<input type="text" autocomplete="username" value="emotion-edge" hidden>
<label for="token">Token</label>
<input id="token" name="token" type="password" required autocomplete="current-password" autofocus>
<button>Watch</button>
</form>
</main>
</body>
</html>
""")

LOCKED = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="$seconds; url=$root">
<title>Please wait – emotion-edge</title>
<link rel="icon" href="${root}favicon.svg" type="image/svg+xml">
<style>$style</style>
</head>
<body>
<main>
<h1>Too many wrong tokens</h1>
<p>The next one is looked at in <strong>$words</strong>. This page will ask for it again by itself.</p>
<p>The right token is in the address that emotion-edge printed when it started.</p>
</main>
</body>
</html>
""")

SIGNED_IN = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=$target">
<title>emotion-edge</title>
</head>
<body><p>You are signed in. <a href="$target">Go on</a></p></body>
</html>
""")


def sign_in_page(root: str, wrong: bool) -> str:
    """HTML that asks for the token.

    Args:
        root: the way to `/`, such as `./`.
        wrong: the one given was not it.
    """
    title = "That was not the token" if wrong else "This camera is private"
    return SIGN_IN.substitute(style=STYLE, title=title, root=root)


def locked_page(root: str, wait_s: float) -> str:
    """HTML for whoever has to wait; it goes on to `root` when the time is over."""
    return LOCKED.substitute(style=STYLE, words=in_words(wait_s), seconds=math.ceil(wait_s), root=root)


def signed_in_page(target: str) -> str:
    """HTML that goes on to `target` at once."""
    return SIGNED_IN.substitute(target=escape(target, quote=True))
